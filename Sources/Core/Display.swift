/// What a person sees of bytes that someone else chose.
package enum Display {
  /// Renders `bytes` so that no terminal obeys them and no reader is fooled.
  ///
  /// C0, DEL and bytes that are not UTF-8 become `\xNN`; C1, bidirectional controls, what takes no width or leaves no
  /// mark, and line separators become `\u{…}`; a backslash becomes two, so the text can be read back.
  package static func escaped(_ bytes: some Sequence<UInt8>) -> String {
    let bytes = Array(bytes)
    // most names are plain, and every line of a log has one
    if bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7F && $0 != 0x5C }) { return String(decoding: bytes, as: UTF8.self) }
    var text = ""
    var offset = 0
    var parser = UTF8.ForwardParser()
    var iterator = bytes.makeIterator()
    while true {
      switch parser.parseScalar(from: &iterator) {
      case .emptyInput: return text
      case .valid(let encoded):
        text += shown(UTF8.decode(encoded))
        offset += encoded.count
      case .error(let length):
        for byte in bytes[offset..<offset + length] { text += hex(byte) }
        offset += length
      }
    }
  }

  package static func escaped(_ string: some StringProtocol) -> String { escaped(string.utf8) }

  /// `text` escaped, and cut where it is longer than a line of an error can bear.
  package static func brief(_ text: String) -> String {
    // by scalars: one character may have thousands
    let scalars = text.unicodeScalars
    guard let end = scalars.index(scalars.startIndex, offsetBy: 60, limitedBy: scalars.endIndex), end < scalars.endIndex
    else { return escaped(text) }
    return escaped(text[..<end]) + "…"
  }

  /// A sentence with what a terminal would obey, or a reader not see, escaped; backslashes stay as its writer put them.
  static func harmless(_ sentence: String) -> String {
    if sentence.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return sentence }
    return sentence.unicodeScalars.reduce(into: "") { $0 += $1 == "\\" ? "\\" : shown($1) }
  }

  private static func shown(_ scalar: Unicode.Scalar) -> String {
    switch scalar.value {
    case 0x5C: "\\\\"
    case 0x0A: "\\n"
    case 0x09: "\\t"
    case 0x0D: "\\r"
    case 0..<0x20, 0x7F: hex(UInt8(scalar.value))
    // not `\x80`: that is the lone byte
    case _ where isInvisible(scalar): "\\u{" + String(scalar.value, radix: 16) + "}"
    default: String(scalar)
    }
  }

  private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.properties.isDefaultIgnorableCodePoint { return true }
    return switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned: true
    default: false
    }
  }

  private static func hex(_ byte: UInt8) -> String {
    "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
  }
}
