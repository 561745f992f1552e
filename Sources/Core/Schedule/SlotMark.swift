/// What the clocks do on the day of a slot, where they are set.
package struct SlotMark: Sendable, Equatable {
  package enum Kind: String, Sendable {
    /// Its time does not come on this day: it is due at the first moment after.
    case gap
    /// Its time comes twice; this is the first.
    case first
    /// Its time comes twice; this is the second.
    case second
    /// The clocks are set on this day, but not around it.
    case day
  }

  package var kind: Kind
  package var change: ZoneRules.Change

  /// `nil` on all other days.
  package init?(due: Int, of slots: CronSlots) {
    guard let change = slots.zone.changes(onDayOf: due).first else { return nil }
    self.change = change
    let (moment, span) = (change.moment, change.before - change.after)
    let local = due + slots.zone.offset(at: due)
    if span < 0, due == moment, slots.expression.isFixed,
      slots.expression.first(from: moment + change.before, before: moment + change.after) != nil
    {
      kind = .gap
    } else if span > 0, due < moment, local >= moment + change.after {
      kind = .first
    } else if span > 0, due >= moment, local < moment + change.before {
      kind = .second
    } else {
      kind = .day
    }
  }

  /// `the clocks go from 02:00 to 03:00 on this day`.
  package var words: String {
    let clocks =
      "the clocks go from \(Self.time(change.moment + change.before)) to \(Self.time(change.moment + change.after))"
    return switch kind {
    case .gap: "\(clocks): made up for right after the gap"
    case .first: "\(clocks): the first of two times"
    case .second: "\(clocks): the second of two times"
    case .day: "\(clocks) on this day"
    }
  }

  private static func time(_ local: Int) -> String {
    let minutes = local.floored(by: 60)
    let ofDay = minutes - minutes.floored(by: 1440) * 1440
    return "\(ofDay / 600)\(ofDay / 60 % 10):\(ofDay % 60 / 10)\(ofDay % 10)"
  }
}
