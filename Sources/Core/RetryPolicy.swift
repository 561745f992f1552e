/// How often a stage is tried, and how long is waited in between.
package struct RetryPolicy: Sendable, Equatable, Codable {
  /// Tries in all; at least 1.
  package var attempts: Int
  /// Before the second try.
  package var backoff: Duration
  /// By which the wait grows from try to try; at least 1.
  package var factor: Double
  /// Share of the wait that chance adds or takes away, 0...1.
  package var jitter: Double
  /// The classes of failures that are tried again, all where `nil`; what asks for another try gets it all the same.
  package var on: [ErrorClass]?
  /// No wait is longer, jitter aside.
  package static let longest = Duration.seconds(3600)

  package init(
    attempts: Int = 1, backoff: Duration = .seconds(10), factor: Double = 2, jitter: Double = 0.2,
    on: [ErrorClass]? = nil
  ) {
    self.attempts = attempts
    self.backoff = backoff
    self.factor = factor
    self.jitter = jitter
    self.on = on
  }

  /// The wait after the `n`th try failed, the first being 1.
  package func wait(after n: Int, using generator: inout some RandomNumberGenerator) -> Duration {
    let growth = (1..<max(1, n)).reduce(1.0) { growth, _ in min(growth * factor, 1e9) }
    let plain = min(backoff * growth, Self.longest)
    return plain * (1 + jitter * Double.random(in: -1...1, using: &generator))
  }
}
