package import Core

/// Takes down what the stages of a pipeline are at this moment.
package struct Definitions: Sendable {
  private let files: IdentityFiles
  private let digests: any Digests

  package init(files: IdentityFiles, digests: any Digests) {
    self.files = files
    self.digests = digests
  }

  /// Of the stages that are `auto` and all they build on.
  ///
  /// It is taken of the pipeline as it is in force, before the drop's name or `--set` fill anything in: so it is the
  /// same for every run. A file that cannot be read counts as one that is not there.
  package func basis(of pipeline: Pipeline) -> StageBasis { basis(of: pipeline.basisStages, in: pipeline) }

  /// The same of these stages.
  func basis(of wanted: [Stage], in pipeline: Pipeline) -> StageBasis {
    var stages: [String: [String: String]] = [:]
    for stage in wanted {
      let manifest = pipeline.manifest(of: stage)
      var parts = stage.definition(manifest).mapValues { part in digest(part) }
      var located = stage
      if let kit = manifest?.kit { located.program = stage.program.map { $0.replacing("${kit}", with: kit) } }
      let found = (try? files.digests(of: located, manifest, params: stage.params)) ?? [:]
      for (path, digest) in found { parts["file \(path)"] = digest ?? "" }
      stages[stage.name] = parts
    }
    return StageBasis(stages)
  }

  private func digest(_ part: JSON) -> String { digests.digest(of: Array(((try? part.line()) ?? "").utf8)) }
}

extension Workbench {
  package var definitions: Definitions { Definitions(files: identity, digests: spool.digests) }
}
