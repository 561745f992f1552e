/// The name of the file whose arrival says that a drop is whole: `${name}.ok`.
package struct DoneFile: Sendable, Equatable, Codable {
  /// What stands for the drop in it.
  package enum Part: String, Sendable, CaseIterable {
    /// Its whole name.
    case name
    /// Its name without the last ending.
    case stem
  }

  package let text: String
  private let before: [UInt8]
  private let part: Part
  private let after: [UInt8]

  /// - Throws: `Malformed` where the drop does not stand in it once, or nothing else does.
  package init(_ text: String) throws(NamePattern.Malformed) {
    let advice = "write `${name}` or `${stem}` once, and more around it, such as `${name}.ok`"
    guard let template = try? Template(parsing: text) else { throw NamePattern.Malformed(reason: advice) }
    self.text = text
    var part: Part?
    var sides: [[UInt8]] = [[], []]
    for piece in template.pieces {
      switch piece {
      case .literal(let literal): sides[part == nil ? 0 : 1] += Array(literal.utf8)
      case .reference(let reference):
        guard part == nil, reference.standard == nil, let known = Part(rawValue: reference.name) else {
          throw NamePattern.Malformed(reason: advice)
        }
        part = known
      }
    }
    guard let part, !(sides[0] + sides[1]).isEmpty else { throw NamePattern.Malformed(reason: advice) }
    guard !(sides[0] + sides[1]).contains(UInt8(ascii: "/")) else {
      throw NamePattern.Malformed(reason: "`/` cannot be part of a file name")
    }
    (before, self.part, after) = (sides[0], part, sides[1])
    if let refusal = CandidateName.refusal(of: name(for: FileName("x.csv"))) {
      throw NamePattern.Malformed(reason: "the agent passes over such names (\(refusal)): use another one")
    }
  }

  /// The name of the done file of a drop.
  package func name(for drop: FileName) -> FileName {
    FileName(before + (part == .name ? drop.bytes : Self.stem(of: drop.bytes)) + after)
  }

  /// Whether a file of this name is the done file of some drop that the pattern takes.
  package func belongs(_ name: FileName, to inbox: NamePattern?) -> Bool {
    let bytes = name.bytes
    guard bytes.count > before.count + after.count, bytes.starts(with: before),
      bytes.suffix(after.count).elementsEqual(after)
    else { return false }
    // of a stem nobody knows the ending
    if part == .stem { return true }
    return inbox?.captures(of: FileName(bytes[before.count..<(bytes.count - after.count)])) != nil
  }

  private static func stem(of bytes: [UInt8]) -> [UInt8] {
    guard let dot = bytes.lastIndex(of: UInt8(ascii: ".")), dot > 0 else { return bytes }
    return Array(bytes[..<dot])
  }

  package init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    do { try self.init(text) } catch {
      throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: error.reason))
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }
}
