import Core

/// Looks over an SQL expression before it is put between the words of a statement: that it is something, closes what it
/// opens and nothing else, and asks for no values.
///
/// Tokens are those of https://www.sqlite.org/draft/tokenreq.html; whatever else is wrong SQLite tells.
struct SQLOutline {
  private let bytes: [UInt8]
  private var at = 0
  /// Where each parenthesis that is open began.
  private var open: [Int] = []
  private var isEmpty = true

  private init(_ text: String) { bytes = Array(text.utf8) }

  /// What is wrong with it; `nil` where nothing is that can be told without SQLite.
  static func problem(in text: String) -> Condition.Malformed? {
    var outline = SQLOutline(text)
    return outline.walk()
  }

  private mutating func walk() -> Condition.Malformed? {
    while let byte = peek() {
      if let problem = step(byte) { return problem }
    }
    if let mark = open.last { return malformed("`(` is not closed", mark) }
    return isEmpty ? malformed("expected a condition, got nothing", 0) : nil
  }

  private mutating func step(_ byte: UInt8) -> Condition.Malformed? {
    let start = at
    if Self.isSpace(byte) {
      at += 1
      return nil
    }
    if byte == UInt8(ascii: "-"), peek(1) == byte {
      skip { $0 != UInt8(ascii: "\n") }
      return nil
    }
    if byte == UInt8(ascii: "/"), peek(1) == UInt8(ascii: "*") { return comment(start) }
    isEmpty = false
    switch byte {
    case UInt8(ascii: "("): open.append(start)
    case UInt8(ascii: ")"):
      if open.popLast() == nil { return malformed("`)` closes nothing", start) }
    case UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "`"): return quoted(until: byte, start)
    case UInt8(ascii: "["): return quoted(until: UInt8(ascii: "]"), start)
    case UInt8(ascii: "?"): return value(start)
    case UInt8(ascii: ":"), UInt8(ascii: "@"), UInt8(ascii: "#"), UInt8(ascii: "$"):
      if let next = peek(1), Self.isName(next) { return value(start) }
    case _ where Self.isName(byte):
      skip { Self.isName($0) || $0 == UInt8(ascii: "$") }
      return nil
    default: break
    }
    at += 1
    return nil
  }

  private mutating func comment(_ start: Int) -> Condition.Malformed? {
    at += 2
    while let byte = peek() {
      at += 1
      if byte == UInt8(ascii: "*"), peek() == UInt8(ascii: "/") {
        at += 1
        return nil
      }
    }
    return malformed("the comment is not closed", start)
  }

  /// A quote that stands twice is one of the text, so it only seems to end there and begin anew.
  private mutating func quoted(until end: UInt8, _ start: Int) -> Condition.Malformed? {
    at += 1
    skip { $0 != end }
    guard peek() != nil else { return malformed("what is quoted does not end", start) }
    at += 1
    return nil
  }

  private mutating func value(_ start: Int) -> Condition.Malformed? {
    at += 1
    skip(while: Self.isName)
    let word = String(decoding: bytes[start..<at], as: UTF8.self)
    return malformed("nobody fills in `\(Display.brief(word))`", start)
  }

  private func malformed(_ reason: String, _ offset: Int) -> Condition.Malformed {
    Condition.Malformed(reason: reason, offset: offset)
  }

  private func peek(_ ahead: Int = 0) -> UInt8? { at + ahead < bytes.count ? bytes[at + ahead] : nil }

  private mutating func skip(while holds: (UInt8) -> Bool) {
    while let byte = peek(), holds(byte) { at += 1 }
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) && byte != 0x0B }

  private static func isName(_ byte: UInt8) -> Bool {
    byte >= 0x80 || byte == UInt8(ascii: "_") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
      || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
  }
}
