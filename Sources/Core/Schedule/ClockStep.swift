/// What happened to the wall clock between two looks, told by a clock that nobody sets.
package enum ClockStep: Sendable, Equatable {
  /// At most three hours: slots it passed over are treated as missed, and none it shows again is due again.
  case none
  /// By so many seconds, more than three hours: the clock was wrong, and its new time counts from now on; no slot
  /// between is made up for (cron(8) of cronie).
  case correction(Int)

  /// Seconds.
  package static let limit = 3 * 3600

  /// - Parameters:
  ///   - wall: seconds by which the wall clock went on.
  ///   - elapsed: seconds that went by, those of a suspended machine too (CLOCK_BOOTTIME).
  package init(wall: Double, elapsed: Double) {
    let jump = wall - elapsed
    self = abs(jump) > Double(Self.limit) ? .correction(Int(jump.rounded())) : .none
  }

  /// Of an agent that begins: all it knows is up to where slots are settled.
  /// - Parameter ahead: seconds from now to there; negative where it lies in the past.
  package init(settledAhead ahead: Int) {
    self = ahead > Self.limit ? .correction(-ahead) : .none
  }
}
