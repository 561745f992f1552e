import Core

/// A pattern and a name, a newline between them; and what the inbox makes of the name.
enum Patterns {
  static func check(_ bytes: [UInt8]) throws {
    let parts = bytes.parts(2)
    let name = FileName(parts.last ?? [])
    _ = CandidateName.refusal(of: name)
    guard parts.count == 2, let text = String(validating: parts[0], as: UTF8.self),
      let pattern = try? NamePattern(text)
    else { return }
    // names of files have at most 255 bytes; longer ones come from no kernel
    guard name.bytes.count <= 255, parts[0].count <= 255 else { return }
    let captures = pattern.captures(of: name)
    try hold(
      (captures != nil) == matches(text, name.bytes), "`\(text)` and \(name.displayed): wrongly \(captures != nil)")
    try hold((captures != nil) == (pattern.distance(to: name) == 0), "the distance is \(pattern.distance(to: name))")
    guard let captures else { return }
    try hold(Set(captures.keys) == Set(pattern.captureNames), "captures \(captures) of \(pattern.captureNames)")
    try hold(!captures.values.contains(""), "an empty capture")
    // half a character is shown as its bytes
    for value in captures.values where name.text != nil && !value.contains("\\x") {
      try hold(name.bytes.contains(Array(value.utf8)), "`\(value)` is no part of the name")
    }
  }

  /// The rule once more, as plainly as it can be said: which ends can each part reach.
  private static func matches(_ pattern: String, _ name: [UInt8]) -> Bool {
    var ends: Set<Int> = [0]
    var rest = Substring(pattern)
    while let character = rest.popFirst() {
      switch character {
      case "*": ends = Set(ends.flatMap { Array($0...name.count) })
      case "?": ends = Set(ends.filter { $0 < name.count }.map { $0 + 1 })
      case "{":
        rest = rest[(rest.firstIndex(of: "}") ?? rest.startIndex)...].dropFirst()
        ends = Set(ends.filter { $0 < name.count }.flatMap { Array(($0 + 1)...name.count) })
      default:
        let letters = Array(String(character).utf8)
        ends = Set(ends.filter { name[$0...].starts(with: letters) }.map { $0 + letters.count })
      }
      if ends.isEmpty { return false }
    }
    return ends.contains(name.count)
  }
}
