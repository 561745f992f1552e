/// Which file names a pipeline takes: literal text, `*`, `?`, and `{name}` which captures one part.
package struct NamePattern: Sendable, Equatable, Codable {
  package let text: String
  private let parts: [Part]

  private enum Part: Sendable, Equatable {
    case literal([UInt8])
    case any
    case one
    /// At least one byte.
    case capture(String)
  }

  /// - Throws: `Malformed` where a brace is not closed, a name is empty or stands twice.
  package init(_ text: String) throws(Malformed) {
    self.text = text
    var parts: [Part] = []
    var literal: [UInt8] = []
    var names: Set<String> = []
    func flush() {
      if !literal.isEmpty { parts.append(.literal(literal)) }
      literal = []
    }
    var rest = Substring(text)
    while let character = rest.popFirst() {
      switch character {
      case "*":
        flush()
        if parts.last != .any { parts.append(.any) }
      case "?":
        flush()
        parts.append(.one)
      case "{":
        guard let end = rest.firstIndex(of: "}") else {
          throw Malformed(reason: "`{` is never closed")
        }
        let name = String(rest[..<end])
        rest = rest[rest.index(after: end)...]
        guard !name.isEmpty, name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") })
        else { throw Malformed(reason: "`{\(name)}` is no name: use letters, digits and `_`") }
        guard names.insert(name).inserted else { throw Malformed(reason: "`{\(name)}` stands twice") }
        flush()
        parts.append(.capture(name))
      case "}": throw Malformed(reason: "`}` without `{`")
      case "/": throw Malformed(reason: "`/` cannot be part of a file name")
      default: literal += Array(String(character).utf8)
      }
    }
    flush()
    guard !parts.isEmpty else { throw Malformed(reason: "the pattern is empty") }
    self.parts = parts
  }

  package struct Malformed: Error, Equatable {
    package let reason: String

    package init(reason: String) { self.reason = reason }
  }

  /// Bytes that must be met letter by letter: of two patterns that match, the one with more is meant.
  package var literalLength: Int {
    parts.reduce(0) { sum, part in
      if case .literal(let bytes) = part { sum + bytes.count } else { sum }
    }
  }

  package var captureNames: [String] {
    parts.compactMap { if case .capture(let name) = $0 { name } else { nil } }
  }

  /// What the captures caught; `nil` where the name does not match.
  ///
  /// Captures and `*` take as little as they can. A capture is shown escaped where it is not UTF-8. The time
  /// taken is at most the product of the lengths.
  package func captures(of name: FileName) -> [String: String]? {
    let bytes = name.bytes
    var failed: Set<[Int]> = []
    func match(_ part: Int, _ at: Int) -> [(String, ArraySlice<UInt8>)]? {
      if part == parts.count { return at == bytes.count ? [] : nil }
      if failed.contains([part, at]) { return nil }
      var found: [(String, ArraySlice<UInt8>)]?
      switch parts[part] {
      case .literal(let literal):
        if bytes[at...].starts(with: literal) { found = match(part + 1, at + literal.count) }
      case .one:
        if at < bytes.count { found = match(part + 1, at + 1) }
      case .any:
        for end in at...bytes.count {
          found = match(part + 1, end)
          if found != nil { break }
        }
      case .capture(let name):
        for end in stride(from: at + 1, through: bytes.count, by: 1) {
          if let rest = match(part + 1, end) {
            found = [(name, bytes[at..<end])] + rest
            break
          }
        }
      }
      if found == nil { failed.insert([part, at]) }
      return found
    }
    guard let caught = match(0, 0) else { return nil }
    return Dictionary(
      uniqueKeysWithValues: caught.map { name, bytes in
        (name, String(validating: bytes, as: UTF8.self) ?? Display.escaped(bytes))
      })
  }

  /// Bytes of `name` that would have to be changed, added or taken away for it to match.
  package func distance(to name: FileName) -> Int {
    let bytes = name.bytes
    // row[j]: the cost of matching the parts so far with the first j bytes
    var row = Array(0...bytes.count)
    for step in steps {
      var next = [row[0] + step.costAlone]
      for j in 1..<max(1, row.count) {
        let meets = row[j - 1] + (step.accepts(bytes[j - 1]) ? 0 : 1)
        let repeats = next[j - 1] + (step.repeats ? 0 : 1)
        next.append(min(meets, repeats, row[j] + step.costAlone))
      }
      row = next
    }
    return row[bytes.count]
  }

  /// One byte's worth of a pattern.
  private enum Step {
    case byte(UInt8)
    case one
    case any
    case some

    var costAlone: Int { if case .any = self { 0 } else { 1 } }
    var repeats: Bool {
      switch self {
      case .any, .some: true
      case .byte, .one: false
      }
    }
    func accepts(_ byte: UInt8) -> Bool { if case .byte(let own) = self { own == byte } else { true } }
  }

  private var steps: [Step] {
    parts.flatMap { part -> [Step] in
      switch part {
      case .literal(let bytes): bytes.map { .byte($0) }
      case .one: [.one]
      case .any: [.any]
      case .capture: [.some]
      }
    }
  }

  package init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    do { try self.init(text) } catch {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: error.reason))
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }
}
