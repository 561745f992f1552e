import Synchronization

/// A wish to stop, said once, heard by everyone who listens.
///
/// Task cancellation would also end the after-hooks, which must run when a run is cancelled.
package final class Cancellation: Sendable {
  package enum Cause: String, Sendable {
    /// A person cancelled the run.
    case person
    /// The agent is stopping; the run goes on when it is back.
    case shutdown
    /// The run took longer than it may.
    case deadline
  }

  private struct State {
    var cause: Cause?
    var stopsAtBoundary = false
    var listeners: [Int: @Sendable (Cause) -> Void] = [:]
    var next = 0
  }

  private let state = Mutex(State())

  package init() {}

  package var cause: Cause? { state.withLock { $0.cause } }

  /// Whether what is at work may end as it likes and nothing is to follow it: the agent is about to stop.
  package var stopsAtBoundary: Bool { state.withLock { $0.stopsAtBoundary } }

  package func stopAtBoundary() { state.withLock { $0.stopsAtBoundary = true } }

  /// The first cause stands; later ones change nothing.
  package func cancel(_ cause: Cause) {
    let listeners = state.withLock { state -> [@Sendable (Cause) -> Void] in
      guard state.cause == nil else { return [] }
      state.cause = cause
      defer { state.listeners = [:] }
      return Array(state.listeners.values)
    }
    for listener in listeners { listener(cause) }
  }

  /// Calls `listener` once, at once where the wish was said before; the result is for `forget`.
  package func listen(_ listener: @escaping @Sendable (Cause) -> Void) -> Int {
    let (token, cause) = state.withLock { state -> (Int, Cause?) in
      state.next += 1
      if state.cause == nil { state.listeners[state.next] = listener }
      return (state.next, state.cause)
    }
    if let cause { listener(cause) }
    return token
  }

  package func forget(_ token: Int) {
    state.withLock { $0.listeners[token] = nil }
  }
}
