import Synchronization

/// A change on its way to the disk: what depends on it is prepared meanwhile, and waits for it before it begins.
package final class Recording: Sendable {
  private struct State {
    var result: Result<Void, any Error>?
    var waiters: [CheckedContinuation<Void, any Error>] = []
  }

  private let state = Mutex(State())

  /// Returns when the change is durable, at once where it is already; a cancelled task waits as well.
  /// - Throws: `StoreError`, where it was refused.
  package func durable() async throws {
    if let result = state.withLock({ $0.result }) { return try result.get() }
    try await withCheckedThrowingContinuation { continuation in
      let result = state.withLock { state in
        if state.result == nil { state.waiters.append(continuation) }
        return state.result
      }
      if let result { continuation.resume(with: result) }
    }
  }

  func settle(_ result: Result<Void, any Error>) {
    let waiters = state.withLock { state in
      defer { state.waiters = [] }
      state.result = result
      return state.waiters
    }
    for waiter in waiters { waiter.resume(with: result) }
  }
}
