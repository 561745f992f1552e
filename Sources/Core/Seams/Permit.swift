import Synchronization

/// What a program must wait for before it begins: a record of it on the disk, or a word of others; all else is prepared
/// meanwhile.
package final class Permit: Sendable {
  private struct State {
    var result: Result<Void, any Error>?
    var waiters: [@Sendable (Result<Void, any Error>) -> Void] = []
  }

  private let state = Mutex(State())

  package init() {}

  /// Whether it was given already.
  package var isGiven: Bool {
    guard case .success = state.withLock({ $0.result }) else { return false }
    return true
  }

  /// Calls `body` once, on any thread, when it is given or refused: at once where that is known.
  package func whenKnown(_ body: @escaping @Sendable (Result<Void, any Error>) -> Void) {
    let result = state.withLock { state in
      if state.result == nil { state.waiters.append(body) }
      return state.result
    }
    if let result { body(result) }
  }

  /// Gives or refuses it; the first word stands.
  ///
  /// Who waits is told in the order in which they came.
  package func settle(_ result: Result<Void, any Error>) {
    let waiters = state.withLock { state in
      if state.result != nil { return [] as [@Sendable (Result<Void, any Error>) -> Void] }
      defer { state.waiters = [] }
      state.result = result
      return state.waiters
    }
    for waiter in waiters { waiter(result) }
  }

  /// Returns when it is given; a cancelled task waits as well.
  /// - Throws: what it was refused for.
  package func given() async throws {
    try await withCheckedThrowingContinuation { continuation in whenKnown { continuation.resume(with: $0) } }
  }
}
