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
      files: try files(of: stage, manifest, params: part.params), params: part.params,
      context: read(context.object ?? [:], by: manifest), inputs: try inputs.map(input), seed: part.seed,
      level: part.granularity, sample: part.sample)
  }

  /// The members that the stage reads; one that does not say which may read all.
  private func read(_ context: [String: JSON], by manifest: Manifest?) -> [String: JSON] {
    guard let names = manifest?.context else { return context }
    return context.filter { names.contains($0.key) }
  }

  /// What is said to be its identity, the program, and every file that its argv names.
  private func files(of stage: Stage, _ manifest: Manifest?, params: [String: JSON]) throws -> [String: String?] {
    let root = manifest?.kit ?? bench.home
    var files: [String: String?] = [:]
    for file in manifest?.files ?? stage.files ?? [] {
      let path = file.hasPrefix("/") ? file : root + "/" + file
      files.updateValue(try bench.spool.digests.digest(ofFile: path), forKey: file)
    }
    for (index, word) in stage.program.enumerated() {
      // one that names an input or the working directory is another in each run
      guard
        let expanded = try? ArgumentTemplate.expand(
          argv: [word], input: nil, home: bench.home, out: "", params: params
        ).first
      else { continue }
      let path = index == 0 ? bench.programs.resolve(expanded, hashing: false).path : expanded
      guard path.hasPrefix("/"), bench.spool.bytes(at: path) != nil,
        let digest = try bench.spool.digests.digest(ofFile: path)
      else { continue }
      files[shown(path, root)] = digest
    }
    return files
  }

  private func shown(_ path: String, _ root: String) -> String {
    for base in [root, bench.home] where !base.isEmpty && path.hasPrefix(base + "/") {
      return String(path.dropFirst(base.count + 1))
    }
    return path
  }

  private func input(_ part: Envelope.FilePart) throws -> CacheKey.Input {
    guard let sha256 = try part.sha256 ?? bench.spool.digests.digest(ofFile: part.path) else {
      throw HostError("the input `\(Display.escaped(part.name))` is not there")
    }
    let file = part.path.split(separator: "/").last.map(String.init) ?? ""
    return CacheKey.Input(name: part.name, stage: part.stage, file: file, sha256: sha256)
  }
}
