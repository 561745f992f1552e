/// How a person names a run: by its number, its id, the beginning of its id, or `last`.
package enum RunReference: Sendable, Equatable, CustomStringConvertible {
  case number(Int)
  case id(RunID)
  /// Lower case; at least four characters of an id.
  case prefix(String)
  case last

  /// Reads what a person typed; `nil` where it can be no run.
  ///
  /// Digits are a number unless they begin with 0, as every id does until the year 2527 (RFC 9562, 5.7).
  package init?(_ text: String) {
    if text == "last" {
      self = .last
    } else if let id = RunID(text) {
      self = .id(id)
    } else if !text.hasPrefix("0"), text.utf8.allSatisfy(Self.isDigit), let number = Int(text) {
      self = .number(number)
    } else if (4..<36).contains(text.utf8.count), text.utf8.allSatisfy(Self.isOfAnID) {
      self = .prefix(text.lowercased())
    } else {
      return nil
    }
  }

  package var description: String {
    switch self {
    case .number(let number): String(number)
    case .id(let id): id.text
    case .prefix(let prefix): prefix
    case .last: "last"
    }
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

  private static func isOfAnID(_ byte: UInt8) -> Bool {
    isDigit(byte) || (0x61...0x66).contains(byte) || (0x41...0x46).contains(byte) || byte == 0x2D
  }
}
