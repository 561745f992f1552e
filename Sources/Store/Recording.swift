import Core
import Synchronization

/// A change on its way to the disk: what depends on it is prepared meanwhile, and waits for it before it begins.
package final class Recording: Permit {
  private struct State {
    var result: Result<Void, any Error>?
    var waiters: [@Sendable (Result<Void, any Error>) -> Void] = []
  }

  private let state = Mutex(State())

  package var isGiven: Bool {
    guard case .success = state.withLock({ $0.result }) else { return false }
    return true
  }

  package func whenKnown(_ body: @escaping @Sendable (Result<Void, any Error>) -> Void) {
    let result = state.withLock { state in
      if state.result == nil { state.waiters.append(body) }
      return state.result
    }
    if let result { body(result) }
  }

  /// On the thread that writes: who waits is told in the order in which they came.
  func settle(_ result: Result<Void, any Error>) {
    let waiters = state.withLock { state in
      defer { state.waiters = [] }
      state.result = result
      return state.waiters
    }
    for waiter in waiters { waiter(result) }
  }
}
