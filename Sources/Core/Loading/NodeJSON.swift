extension Node {
  /// The value as JSON: quoted scalars are text, plain ones what YAML 1.2's core schema says.
  ///
  /// A number with leading zeros stays text (it is a code, not a quantity), and so do `.inf` and `.nan`, which JSON
  /// does not know.
  package var json: JSON {
    switch content {
    case .mapping(let entries):
      .object(Dictionary(entries.map { ($0.key, $0.value.json) }) { _, last in last })
    case .sequence(let elements): .array(elements.map(\.json))
    case .scalar(let text, quoted: true): .string(text)
    case .scalar(let text, quoted: false): Self.plain(text)
    }
  }

  /// What an unquoted `text` is.
  package static func plain(_ text: String) -> JSON {
    switch text {
    case "", "~", "null", "Null", "NULL": return .null
    case "true", "True", "TRUE": return .bool(true)
    case "false", "False", "FALSE": return .bool(false)
    default: break
    }
    let digits = text.hasPrefix("-") || text.hasPrefix("+") ? text.dropFirst() : text[...]
    guard let first = digits.first, first.isASCII, first.isNumber || first == "." else {
      return .string(text)
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] where text.hasPrefix(prefix) {
      let magnitude = UInt64(text.dropFirst(2), radix: radix)
      return magnitude.flatMap { Int(exactly: $0) }.map { .integer($0) } ?? .string(text)
    }
    if digits.count > 1, first == "0", digits.dropFirst().first?.isNumber == true { return .string(text) }
    guard digits.allSatisfy({ $0.isASCII && ($0.isNumber || ".eE+-".contains($0)) }) else {
      return .string(text)
    }
    if let number = Int(text) { return .integer(number) }
    guard let number = Double(text), number.isFinite else { return .string(text) }
    // as JSON has it, where `2.0` is the whole number 2
    return Int(exactly: number).map { .integer($0) } ?? .number(number)
  }
}
