import Core

/// The data of a trial: copies of its own, so that it goes on with the same bytes whatever becomes of the originals.
struct TrialCopies: Sendable {
  let bench: Workbench
  let trial: Trial

  /// Of the copies themselves: an original may be written to at any moment.
  func digests() throws -> [String] {
    try trial.data.paths.enumerated().map { index, path in
      let copy = try bench.spool.keepTrialInput(path, index: index, of: trial.id)
      guard let digest = try bench.spool.digests.digest(ofFile: copy) else {
        throw TrialService.Refusal(description: "the data `\(Display.escaped(path))` is not there any more")
      }
      return digest
    }
  }

  /// What the first stages are given.
  func inputs() throws -> [Envelope.FilePart] {
    try zip(trial.data.paths, trial.data.digests).enumerated().map { index, original in
      let path = try bench.spool.keepTrialInput(original.0, index: index, of: trial.id)
      guard try bench.spool.digests.digest(ofFile: path) == original.1 else {
        throw HostError("the data of trial \(trial.number) was changed: `\(Display.escaped(path))`")
      }
      return Envelope.FilePart(
        name: index == 0 ? "input" : "input-\(index + 1)", path: path, stage: nil, sha256: original.1,
        bytes: bench.spool.bytes(at: path) ?? 0)
    }
  }
}
