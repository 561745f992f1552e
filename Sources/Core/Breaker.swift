package import Foundation

/// When a stage that fails again and again is left alone for a while (Nygard, "Release It!", 2007: circuit breaker).
package struct Breaker: Sendable, Equatable, Codable {
  /// Failures in a row, over all runs, that open it.
  package var failures: Int
  /// How long it stays open before one run tries again.
  package var cooldown: Duration

  package init(failures: Int = 5, cooldown: Duration = .seconds(600)) {
    self.failures = failures
    self.cooldown = cooldown
  }
}

/// Where the breaker of one stage stands.
package struct BreakerState: Sendable, Equatable {
  package var pipeline: String
  package var stage: String
  /// In a row.
  package var failures: Int
  /// The last of them.
  package var failed: Date
  package var reason: String

  package init(pipeline: String, stage: String, failures: Int, failed: Date, reason: String) {
    self.pipeline = pipeline
    self.stage = stage
    self.failures = failures
    self.failed = failed
    self.reason = reason
  }

  /// When a run may try again; `nil` where it may at once.
  package func reopens(under breaker: Breaker, at now: Date) -> Date? {
    guard failures >= breaker.failures else { return nil }
    let end = failed + breaker.cooldown / .seconds(1)
    return end > now ? end : nil
  }
}
