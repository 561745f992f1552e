import Core

/// Notices that what an earlier stage left is no longer what it published, before the next one uses it.
///
/// Costs one stat(2) a file that nobody was at since it was read last; else it is read again.
struct InputCheck {
  let digests: any Digests

  /// What is wrong, in words; `nil` where all is as it was published.
  func complaint(of inputs: [Envelope.FilePart]) throws -> String? {
    for input in inputs {
      guard let stage = input.stage, let expected = input.sha256 else { continue }
      let found = try digests.digest(ofFile: input.path)
      if found == expected { continue }
      let what = "the output `\(Display.escaped(input.name))` of stage `\(stage)`"
      guard let found else { return "\(what) was removed since it was published: `\(Display.escaped(input.path))`" }
      return "\(what) was changed since it was published: it had sha256 \(expected.prefix(12))…, and has "
        + "\(found.prefix(12))…"
    }
    return nil
  }
}
