import Core

/// Finds out what the outcome of a stage depends on at this moment: its files as they are, its inputs by content.
struct KeyMaker {
  let bench: Workbench
  let pipeline: Pipeline

  /// - Throws: `HostError` where a file cannot be read or is none.
  func key(
    of stage: Stage, _ part: Envelope.StagePart, _ inputs: [Envelope.FilePart], context: JSON
  ) throws -> CacheKey {
    let manifest = stage.uses.flatMap { pipeline.origin?.manifests[$0] }
    return CacheKey(
      uses: stage.uses, version: manifest?.version, command: manifest?.program ?? stage.program,
      files: try bench.identity.digests(of: stage, manifest, params: part.params), params: part.params,
      context: read(context.object ?? [:], by: manifest), inputs: try inputs.map(input), seed: part.seed,
      level: part.granularity, sample: part.sample)
  }

  /// The members that the stage reads; one that does not say which may read all.
  private func read(_ context: [String: JSON], by manifest: Manifest?) -> [String: JSON] {
    guard let names = manifest?.context else { return context }
    return context.filter { names.contains($0.key) }
  }

  private func input(_ part: Envelope.FilePart) throws -> CacheKey.Input {
    guard let sha256 = try part.sha256 ?? bench.spool.digests.digest(ofFile: part.path) else {
      throw HostError("the input `\(Display.escaped(part.name))` is not there")
    }
    let file = part.path.split(separator: "/").last.map(String.init) ?? ""
    return CacheKey.Input(name: part.name, stage: part.stage, file: file, sha256: sha256)
  }
}
