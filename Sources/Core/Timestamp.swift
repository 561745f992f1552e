package import Foundation

/// RFC 3339 with offset, to the millisecond: what JSON and logs carry.
package enum Timestamp {
  package static func text(_ date: Date, in zone: TimeZone = .current) -> String {
    date.formatted(style(zone))
  }

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
