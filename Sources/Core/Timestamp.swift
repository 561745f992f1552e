package import Foundation

/// RFC 3339 with offset, to the millisecond: what JSON and logs carry.
package enum Timestamp {
  package static func text(_ date: Date, in zone: TimeZone = .current) -> String {
    let offset = zone.secondsFromGMT(for: date)
    // the four digits of a year, and the offsets that RFC 3339 can say
    guard date >= first, date < end, offset % 60 == 0 else { return date.formatted(style(zone)) }
    let milliseconds = Int((date.timeIntervalSince1970 * 1000).rounded(.down)) + offset * 1000
    return CivilTime(milliseconds: milliseconds).text(offset: offset / 60)
  }

  private static let first = Date(timeIntervalSince1970: 0)
  /// The end of 9999, less a day for the zones: RFC 3339 has four digits for a year.
  package static let end = Date(timeIntervalSince1970: 253_402_200_000)

  package static func date(_ text: String) -> Date? {
    let styles = [Date.ISO8601FormatStyle(includingFractionalSeconds: true), Date.ISO8601FormatStyle()]
    return styles.lazy.compactMap { try? $0.parse(text) }.first
  }

  private static func style(_ zone: TimeZone) -> Date.ISO8601FormatStyle {
    Date.ISO8601FormatStyle(includingFractionalSeconds: true, timeZone: zone)
      .year().month().day().dateSeparator(.dash)
      .time(includingFractionalSeconds: true).timeSeparator(.colon)
      .timeZone(separator: .colon)
  }
}

/// A moment since 1970 as the numbers of a calendar; by arithmetic, because every line of a log has one.
private struct CivilTime {
  let year, month, day, millisecondsOfDay: Int

  init(milliseconds: Int) {
    millisecondsOfDay = milliseconds % 86_400_000
    // Hinnant, "chrono-compatible low-level date algorithms": years that begin in March, eras of 400 of them
    let days = milliseconds / 86_400_000 + 719_468
    let (era, dayOfEra) = (days / 146_097, days % 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let march = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * march + 2) / 5 + 1
    month = march < 10 ? march + 3 : march - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }

  /// - Parameter offset: minutes east of Greenwich.
  func text(offset: Int) -> String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(32)
    func put(_ number: Int, _ digits: Int, then mark: Character?) {
      var (power, rest) = (1, number)
      for _ in 1..<digits { power *= 10 }
      while power > 0 {
        bytes.append(UInt8(ascii: "0") + UInt8(rest / power))
        rest %= power
        power /= 10
      }
      if let mark = mark?.asciiValue { bytes.append(mark) }
    }
    put(year, 4, then: "-")
    put(month, 2, then: "-")
    put(day, 2, then: "T")
    put(millisecondsOfDay / 3_600_000, 2, then: ":")
    put(millisecondsOfDay / 60_000 % 60, 2, then: ":")
    put(millisecondsOfDay / 1000 % 60, 2, then: ".")
    put(millisecondsOfDay % 1000, 3, then: offset == 0 ? "Z" : offset < 0 ? "-" : "+")
    if offset != 0 {
      put(abs(offset) / 60, 2, then: ":")
      put(abs(offset) % 60, 2, then: nil)
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
