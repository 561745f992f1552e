import Synchronization

/// What a program must wait for before it begins: a record of it on the disk, or a word of others; all else is prepared
/// meanwhile.
package final class Permit: Sendable {
  private struct State {
    var result: Result<Void, any Error>?
    /// Those who wait are being told.
    var isTelling = false
    var waiters: [@Sendable (Result<Void, any Error>) -> Void] = []
  }

  private let state = Mutex(State())

  package init() {}

  /// Whether it was given already.
  package var isGiven: Bool {
    guard case .success = state.withLock({ $0.result }) else { return false }
    return true
  }

  /// Calls `body` once, on any thread, when it is given or refused: at once where all who came before have been told.
  package func whenKnown(_ body: @escaping @Sendable (Result<Void, any Error>) -> Void) {
    let known = state.withLock { state -> Result<Void, any Error>? in
      if state.result == nil || state.isTelling {
        state.waiters.append(body)
        return nil
      }
      return state.result
    }
    if let known { body(known) }
  }

  /// Gives or refuses it; the first word stands.
  ///
  /// Who waits is told in the order in which they came, one after another.
  package func settle(_ result: Result<Void, any Error>) {
    let isFirst = state.withLock { state in
      if state.result != nil { return false }
      state.result = result
      state.isTelling = true
      return true
    }
    while isFirst, let waiters = nextWaiters() {
      for waiter in waiters { waiter(result) }
    }
  }

  /// `nil` where everybody has been told.
  private func nextWaiters() -> [@Sendable (Result<Void, any Error>) -> Void]? {
    state.withLock { state in
      state.isTelling = !state.waiters.isEmpty
      defer { state.waiters = [] }
      return state.isTelling ? state.waiters : nil
    }
  }

  /// What waited for it had grown old by the time it was given.
  package struct Outlived: Error {
    package init() {}
  }

  /// Another one, which is given with this one where `isFresh` holds then, and else refused as `Outlived`.
  package func given(while isFresh: @escaping @Sendable () -> Bool) -> Permit {
    let other = Permit()
    whenKnown { result in other.settle(result.flatMap { isFresh() ? .success(()) : .failure(Outlived()) }) }
    return other
  }

  /// Returns when it is given; a cancelled task waits as well.
  /// - Throws: what it was refused for.
  package func given() async throws {
    try await withCheckedThrowingContinuation { continuation in whenKnown { continuation.resume(with: $0) } }
  }
}
