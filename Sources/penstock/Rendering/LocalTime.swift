import Core
import Foundation

/// Moments as tables show them: local, and without the day where it is today.
struct LocalTime: Sendable {
  private let today: Substring

  init(now: Date) { today = Timestamp.text(now).prefix(10) }

  /// `10:02:31` today, else `2026-11-20 10:02`.
  func text(_ date: Date) -> String {
    let text = Timestamp.text(date)
    let isToday = text.prefix(10) == today
    return isToday ? Self.clock(text) : "\(text.prefix(10)) \(text.dropFirst(11).prefix(5))"
  }

  func text(_ date: Date?) -> String { date.map { text($0) } ?? "" }

  /// `2026-11-20 10:02:31`.
  static func full(_ date: Date) -> String {
    let text = Timestamp.text(date)
    return "\(text.prefix(10)) \(clock(text))"
  }

  static func clock(_ date: Date) -> String { clock(Timestamp.text(date)) }

  private static func clock(_ text: String) -> String { String(text.dropFirst(11).prefix(8)) }
}
