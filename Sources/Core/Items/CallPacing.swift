/// When the calls of a stage may begin so that there are not more than so many a second, evenly spaced.
package struct CallPacing: Sendable, Equatable {
  /// From one call to the next.
  private let interval: Duration
  /// When the next call may begin; on the clock of the arguments.
  private var next: Duration?

  /// - Parameter rate: calls a second, more than 0.
  package init(rate: Double) { interval = .seconds(1 / rate) }

  /// Takes the next place; returns how long the caller must wait for it.
  /// - Parameter now: a monotonic moment.
  package mutating func take(at now: Duration) -> Duration {
    let begin = max(now, next ?? now)
    next = begin + interval
    return begin - now
  }
}
