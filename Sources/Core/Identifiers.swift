package import Foundation

/// The time-ordered identity of a run: a UUIDv7 in lower case (RFC 9562, section 5.7).
package struct RunID: Hashable, Sendable, Codable, Comparable, CustomStringConvertible {
  package let text: String

  /// Accepts what is already known to be a run id; `nil` where the text is not 36 characters of a UUID.
  package init?(_ text: String) {
    guard text.utf8.count == 36, UUID(uuidString: text) != nil else { return nil }
    self.text = text.lowercased()
  }

  /// - Parameter canonical: a UUID in lower case.
  init(canonical: String) { text = canonical }

  /// Makes the id of a run that began at `now`; its last 74 bits come from `generator`.
  package init(now: Date, using generator: inout some RandomNumberGenerator) {
    let milliseconds = UInt64(max(0, now.timeIntervalSince1970 * 1000))
    let high = milliseconds << 16 | 0x7000 | UInt64.random(in: 0...0xFFF, using: &generator)
    let low = 0x8000_0000_0000_0000 | UInt64.random(in: 0...0x3FFF_FFFF_FFFF_FFFF, using: &generator)
    self.init(high, low)
  }

  /// No run that began at `moment` or later has a smaller one.
  package init(earliest moment: Date) {
    self.init(UInt64(max(0, moment.timeIntervalSince1970 * 1000)) << 16 | 0x7000, 0x8000_0000_0000_0000)
  }

  private init(_ high: UInt64, _ low: UInt64) {
    let digits = Array((Self.hex(high) + Self.hex(low)).utf8)
    let groups = [digits[..<8], digits[8..<12], digits[12..<16], digits[16..<20], digits[20...]]
    text = String(decoding: Array(groups.joined(separator: [UInt8(ascii: "-")])), as: UTF8.self)
  }

  /// When it was made, to the millisecond: its first 48 bits.
  package var time: Date {
    let digits = text.filter { $0 != "-" }.prefix(12)
    return Date(timeIntervalSince1970: Double(UInt64(digits, radix: 16) ?? 0) / 1000)
  }

  package var description: String { text }

  package static func < (left: RunID, right: RunID) -> Bool { left.text < right.text }

  package init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    guard let id = RunID(text) else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "`\(text)` is not a run id"))
    }
    self = id
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }

  private static func hex(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
