import Core

/// A cron expression and a `TZ` string, a newline between them; the bytes are tried as a file of the tz database too.
enum Schedules {
  private static let start = 1_772_000_000

  static func check(_ bytes: [UInt8]) throws {
    if let zone = ZoneRules(tzif: bytes) { try ordered(zone) }
    let parts = bytes.parts(2)
    let zone = parts.count == 2 ? ZoneRules(posix: String(decoding: parts[1], as: UTF8.self)) ?? .utc : .utc
    try ordered(zone)
    guard let text = String(validating: parts[0], as: UTF8.self), text.utf8.count < 1000 else { return }
    let expression: CronExpression
    do { expression = try CronExpression(text) } catch {
      try hold((0...text.unicodeScalars.count).contains(error.column), "column \(error.column)")
      let bad = (error.reason + (error.hint ?? "")).unicodeScalars.first(where: Displayed.isObeyedOrHidden)
      try hold(bad == nil, "a reason holds U+\(String(bad?.value ?? 0, radix: 16))")
      return
    }
    let slots = CronSlots(expression, in: zone)
    var moment = start
    for _ in 0..<20 {
      guard let next = slots.next(after: moment) else { throw Broken(description: "`\(text)` comes to an end") }
      try hold(next > moment, "`\(text)`: \(next) is not after \(moment)")
      try hold(slots.next(after: next - 1) == next, "`\(text)`: \(next) is not found from the second before it")
      _ = SlotMark(due: next, of: slots)?.words
      moment = next
    }
  }

  private static func ordered(_ zone: ZoneRules) throws {
    for (earlier, later) in zip(zone.spans, zone.spans.dropFirst()) {
      try hold(earlier.start < later.start && earlier.offset != later.offset, "spans out of order at \(later.start)")
    }
  }
}
