/// Reads one JSON text as RFC 8259 has it, and refuses what leaves open what was meant.
///
/// Refused are a key that stands twice in one map, half a surrogate pair, a number no `Double` can hold, and what
/// nests deeper than 64 levels, as in YAML; the time taken is in proportion to the length.
struct JSONReader {
  /// Maps and lists inside each other.
  static let deepest = 64

  private let bytes: [UInt8]
  private var at = 0
  private var depth = 0

  /// - Parameter bytes: UTF-8, without a byte order mark.
  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// - Throws: `JSON.TooDeep`, or `JSON.Unreadable` with the place of the first mistake.
  mutating func document() throws -> JSON {
    guard String(validating: bytes, as: UTF8.self) != nil else { throw mistake("it is not UTF-8") }
    let value = try value()
    skipSpace()
    guard at == bytes.count else { throw mistake("more follows its end") }
    return value
  }

  private var byte: UInt8? { at < bytes.count ? bytes[at] : nil }

  private func mistake(_ reason: String) -> JSON.Unreadable { JSON.Unreadable(reason: reason, offset: at) }

  private mutating func skipSpace() {
    while let byte, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { at += 1 }
  }

  /// Takes `wanted` where it comes next.
  private mutating func take(_ wanted: Unicode.Scalar) -> Bool {
    guard byte == UInt8(ascii: wanted) else { return false }
    at += 1
    return true
  }

  private mutating func value() throws -> JSON {
    skipSpace()
    guard let byte else { throw mistake("it ends where a value is expected") }
    switch byte {
    case UInt8(ascii: "{"): return try nested { .object(try $0.members()) }
    case UInt8(ascii: "["): return try nested { .array(try $0.elements()) }
    case UInt8(ascii: "\""): return .string(try text())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    default: throw mistake("no value begins so")
    }
  }

  private mutating func nested(_ body: (inout JSONReader) throws -> JSON) throws -> JSON {
    at += 1
    depth += 1
    guard depth <= Self.deepest else { throw JSON.TooDeep() }
    defer { depth -= 1 }
    return try body(&self)
  }

  private mutating func members() throws -> [String: JSON] {
    var members: [String: JSON] = [:]
    skipSpace()
    if take("}") { return members }
    repeat {
      skipSpace()
      guard byte == UInt8(ascii: "\"") else { throw mistake("expected a key in quotes") }
      let begin = at
      let key = try text()
      skipSpace()
      guard take(":") else { throw mistake("expected `:`") }
      let value = try value()
      guard members.updateValue(value, forKey: key) == nil else {
        throw JSON.Unreadable(reason: "key `\(Display.brief(key))` stands twice in one map", offset: begin)
      }
      skipSpace()
    } while take(",")
    guard take("}") else { throw mistake("expected `,` or `}`") }
    return members
  }

  private mutating func elements() throws -> [JSON] {
    var elements: [JSON] = []
    skipSpace()
    if take("]") { return elements }
    repeat {
      elements.append(try value())
      skipSpace()
    } while take(",")
    guard take("]") else { throw mistake("expected `,` or `]`") }
    return elements
  }

  private mutating func word(_ word: String, _ value: JSON) throws -> JSON {
    guard bytes[at...].starts(with: word.utf8) else { throw mistake("no value begins so") }
    at += word.utf8.count
    return value
  }
}

extension JSONReader {
  private mutating func digits() throws {
    let begin = at
    while let byte, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { at += 1 }
    guard at > begin else { throw mistake("expected a digit") }
  }

  private mutating func number() throws -> JSON {
    let begin = at
    _ = take("-")
    if !take("0") { try digits() }
    let endOfWhole = at
    if take(".") { try digits() }
    if take("e") || take("E") {
      _ = take("+") || take("-")
      try digits()
    }
    let text = String(decoding: bytes[begin..<at], as: UTF8.self)
    if at == endOfWhole, let whole = Int(text) { return .integer(whole) }
    guard let number = Double(text), number.isFinite else {
      throw JSON.Unreadable(reason: "the number `\(Display.brief(text))` is too large", offset: begin)
    }
    // `1.0` and `1e3` are whole numbers too
    return Int(exactly: number).map { .integer($0) } ?? .number(number)
  }

  private mutating func text() throws -> String {
    at += 1
    var text = ""
    var begin = at
    while let byte {
      switch byte {
      case UInt8(ascii: "\""):
        text += String(decoding: bytes[begin..<at], as: UTF8.self)
        at += 1
        return text
      case UInt8(ascii: "\\"):
        text += String(decoding: bytes[begin..<at], as: UTF8.self)
        at += 1
        text.unicodeScalars.append(try escaped())
        begin = at
      case 0..<0x20: throw mistake("a control character in a text; write it as `\\n` or `\\u00NN`")
      default: at += 1
      }
    }
    throw mistake("it ends inside a text")
  }

  private mutating func escaped() throws -> Unicode.Scalar {
    guard let letter = byte else { throw mistake("it ends inside a text") }
    at += 1
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(letter)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): return try scalar()
    default:
      at -= 1
      throw mistake("no escape is written so")
    }
  }

  /// What `\u` begins: one UTF-16 unit, or both halves of a pair.
  private mutating func scalar() throws -> Unicode.Scalar {
    let unit = try hexUnit()
    if let scalar = Unicode.Scalar(unit) { return scalar }
    guard UTF16.isLeadSurrogate(UInt16(unit)), take("\\"), take("u") else { throw mistake("half a surrogate pair") }
    let second = try hexUnit()
    guard UTF16.isTrailSurrogate(UInt16(second)),
      let scalar = Unicode.Scalar(0x10000 + ((unit - 0xD800) << 10) + (second - 0xDC00))
    else { throw mistake("half a surrogate pair") }
    return scalar
  }

  private mutating func hexUnit() throws -> UInt32 {
    let four = bytes[at...].prefix(4)
    guard four.count == 4, four.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
      let unit = UInt32(String(decoding: four, as: UTF8.self), radix: 16)
    else { throw mistake("expected four hex digits") }
    at += 4
    return unit
  }
}
