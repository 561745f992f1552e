/// The slots of a cron expression in a zone, one after the other.
///
/// A fixed time (`isFixed`) is due when the local clock first gets to it or past it: what lies in a gap is due once, at
/// the first moment after the gap, and what the clocks show twice the first time only. Other expressions are due in
/// every real minute whose local time matches, so in a gap never and in an overlap twice (cron(8) of Debian: jobs with
/// a wildcard in the hour or minute field go by real time).
package struct CronSlots: Sendable {
  /// The longest an expression can keep one waiting: for a 29 February on one weekday, over the year 2100.
  private static let horizon = 41 * 366 * 86400

  package let expression: CronExpression
  package let zone: ZoneRules

  package init(_ expression: CronExpression, in zone: ZoneRules) {
    self.expression = expression
    self.zone = zone
  }

  /// The first slot after `moment`, seconds since 1970 UTC; `nil` where there is none.
  package func next(after moment: Int) -> Int? {
    var index = zone.index(at: moment)
    let limit = moment + Self.horizon
    while index < zone.spans.count {
      let span = zone.spans[index]
      guard span.start <= limit else { return nil }
      if expression.isFixed, span.start > moment, isPassed(enteringSpan: index) { return span.start }
      let end = min(zone.end(of: index), limit)
      var from = max(span.start, moment + 1) + span.offset
      if expression.isFixed { from = max(from, shown(before: index)) }
      if let local = expression.first(from: from, before: end + span.offset) { return local - span.offset }
      index += 1
    }
    return nil
  }

  /// What the local clock has shown before a span began: all below it.
  private func shown(before index: Int) -> Int {
    guard index > 0 else { return .min }
    return (max(1, index - 1)...index).map { zone.spans[$0].start + zone.spans[$0 - 1].offset }.max() ?? .min
  }

  /// Whether the clocks pass over a slot when a span begins.
  private func isPassed(enteringSpan index: Int) -> Bool {
    guard index > 0 else { return false }
    let span = zone.spans[index]
    let (from, to) = (shown(before: index), span.start + span.offset)
    return from < to && expression.first(from: from, before: to) != nil
  }
}

/// The moments a schedule is due, one after the other; seconds since 1970 UTC.
package enum Slots: Sendable {
  case cron(CronSlots)
  /// Multiples of so many seconds since 1970 UTC.
  case every(Int)

  /// The first one after `moment`; `nil` where there is none.
  package func next(after moment: Int) -> Int? {
    switch self {
    case .cron(let slots): slots.next(after: moment)
    case .every(let period): (moment.floored(by: period) + 1) * period
    }
  }

  /// Older ones than this are not looked for: 400 days.
  private static let oldest = 400 * 86400

  /// How many there are after `start` and not after `end`, and the newest of them, the oldest first.
  package func due(after start: Int, upTo end: Int, newest: Int) -> (count: Int, newest: [Int]) {
    let start = max(start, end - Self.oldest)
    guard start < end else { return (0, []) }
    if case .every(let period) = self {
      let (first, last) = (start.floored(by: period) + 1, end.floored(by: period))
      guard first <= last else { return (0, []) }
      return (last - first + 1, (max(first, last - newest + 1)...last).map { $0 * period })
    }
    var (count, found) = (0, [Int]())
    var moment = start
    while let slot = next(after: moment), slot <= end {
      count += 1
      found.append(slot)
      if found.count >= 2 * newest + 16 { found.removeFirst(found.count - newest) }
      moment = slot
    }
    return (count, found.suffix(newest))
  }
}
