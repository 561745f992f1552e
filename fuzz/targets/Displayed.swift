import Core

/// Bytes that someone else chose, as a person sees them.
enum Displayed {
  static func check(_ bytes: [UInt8]) throws {
    let shown = Display.escaped(bytes)
    let bad = shown.unicodeScalars.first(where: isObeyedOrHidden)
    try hold(bad == nil, "U+\(String(bad?.value ?? 0, radix: 16)) is shown as it is")
    try hold(try unescaped(shown) == bytes, "`\(shown)` could be something else too")
    let brief = Display.brief(String(decoding: bytes, as: UTF8.self))
    try hold(brief.unicodeScalars.allSatisfy { !isObeyedOrHidden($0) }, "the short form shows what it should not")
  }

  /// What a terminal obeys, or a reader does not see.
  static func isObeyedOrHidden(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7F...0x9F, 0xAD, 0x34F, 0x61C, 0x180B...0x180F, 0x200B...0x200F, 0x2028...0x202E,
      0x2060...0x206F, 0x3164, 0xFE00...0xFE0F, 0xFEFF, 0xFFF9...0xFFFB, 0xE0000...0xE0FFF:
      true
    default: false
    }
  }

  /// The way back, of which there is but one.
  private static func unescaped(_ text: String) throws -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = text.unicodeScalars[...]
    while let scalar = rest.popFirst() {
      guard scalar == "\\" else {
        bytes += Array(String(scalar).utf8)
        continue
      }
      switch rest.popFirst() {
      case "\\": bytes.append(0x5C)
      case "n": bytes.append(0x0A)
      case "t": bytes.append(0x09)
      case "r": bytes.append(0x0D)
      case "x":
        guard let byte = UInt8(String(String.UnicodeScalarView(rest.prefix(2))), radix: 16) else {
          throw Broken(description: "`\(text)` has an escape without its digits")
        }
        rest = rest.dropFirst(2)
        bytes.append(byte)
      case "u":
        let digits = String(String.UnicodeScalarView(rest.dropFirst().prefix { $0 != "}" }))
        guard let value = UInt32(digits, radix: 16), let scalar = Unicode.Scalar(value) else {
          throw Broken(description: "`\(text)` has an escape of no character")
        }
        rest = rest.dropFirst(digits.unicodeScalars.count + 2)
        bytes += Array(String(scalar).utf8)
      default: throw Broken(description: "`\(text)` has an escape that is none")
      }
    }
    return bytes
  }
}
