/// The monotonic clock of this machine; to sleep by it takes a timer of the reactor and no thread.
package struct ReactorClock: Clock {
  package typealias Instant = SuspendingClock.Instant

  private let reactor: Reactor

  package init(reactor: Reactor) { self.reactor = reactor }

  package var now: Instant { SuspendingClock().now }
  package var minimumResolution: Duration { .milliseconds(1) }

  /// - Throws: `CancellationError` where the task is cancelled before.
  package func sleep(until deadline: Instant, tolerance: Duration?) async throws {
    let left = deadline - now
    if left > .zero { try await reactor.sleep(for: left) }
    try Task.checkCancellation()
  }
}
