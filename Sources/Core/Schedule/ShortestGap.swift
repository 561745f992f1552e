extension Schedule.Timing {
  /// Slots that are looked at.
  private static let most = 200
  /// How far they are looked for, seconds: over two leap years.
  private static let horizon = 9 * 366 * 86400
  /// 2026-01-01 00:00 UTC; any moment does.
  private static let start = 1_767_225_600

  /// Seconds from one slot to the next where that is shortest, as far as the next ones tell, the clocks left alone; `nil`
  /// where there are no two.
  var shortestGap: Int? {
    switch self {
    case .every(let period): return period
    case .cron(let expression):
      let slots = CronSlots(expression, in: .utc)
      var shortest: Int?
      var last: Int?
      for _ in 0..<Self.most {
        guard let next = slots.next(after: last ?? Self.start), next < Self.start + Self.horizon else { break }
        if let last { shortest = min(shortest ?? .max, next - last) }
        last = next
      }
      return shortest
    }
  }
}
