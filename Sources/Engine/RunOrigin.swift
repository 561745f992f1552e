import Core
import Store

/// What the first stage of a run gets: the drop; without one the data sources; without those the latest drop that is
/// done.
struct RunOrigin {
  let bench: Workbench
  let run: Run
  let pipeline: Pipeline

  func parts() async throws -> [Envelope.FilePart] {
    if let drop = run.drop {
      return [part(of: drop, at: try bench.spool.path(of: drop.name, of: run.id))]
    }
    if let owner = try await bench.store.reader.dropOwner(of: run), let drop = owner.drop {
      return [part(of: drop, at: try bench.spool.path(ofDone: drop.name, of: owner.id, for: run.id))]
    }
    if run.rerunOf != nil, pipeline.sources.isEmpty {
      throw HostError("the run whose drop it is to read is not remembered any more")
    }
    return try pipeline.sources.enumerated().map { index, source in
      let path = path(of: source)
      guard let bytes = bench.spool.bytes(at: path) else {
        throw HostError(
          "data source `\(Display.escaped(source.path))` of pipeline `\(pipeline.name)` is no file")
      }
      let name = index == 0 ? "input" : "input-\(index + 1)"
      return Envelope.FilePart(name: name, path: path, stage: nil, sha256: nil, bytes: bytes)
    }
  }

  /// Whether all its data sources are there.
  var hasSources: Bool { pipeline.sources.allSatisfy { bench.spool.bytes(at: path(of: $0)) != nil } }

  private func path(of source: DataSource) -> String {
    source.path.hasPrefix("/") ? source.path : bench.home + "/" + source.path
  }

  private func part(of drop: Drop, at path: String) -> Envelope.FilePart {
    Envelope.FilePart(name: "input", path: path, stage: nil, sha256: drop.sha256, bytes: drop.bytes)
  }
}
