import Core
import Synchronization

/// How trials give way: while real work is at hand nothing of an arm runs.
package final class Courtesy: Sendable {
  private struct State {
    var isBusy = false
    var isStopping = false
    var current: Cancellation?
  }

  private let state = Mutex(State())
  private let bell = Bell()

  package init() {}

  /// Told by the dispatcher whenever it looks: whether runs are at work or could be.
  func note(isBusy: Bool) {
    let interrupted = state.withLock { state -> Cancellation? in
      state.isBusy = isBusy
      return isBusy ? state.current : nil
    }
    interrupted?.cancel(.shutdown)
    if !isBusy { bell.ring() }
  }

  /// No more evaluations: the agent stops.
  func stop() {
    let current = state.withLock { state -> Cancellation? in
      state.isStopping = true
      return state.current
    }
    current?.cancel(.shutdown)
    bell.ring()
  }

  /// What runs of an arm ends now, whatever else is at hand.
  func interrupt() {
    state.withLock { $0.current }?.cancel(.shutdown)
    bell.ring()
  }

  var isStopping: Bool { state.withLock { $0.isStopping } }

  /// Returns when no real work is at hand, the agent stops, or nobody wants to go on.
  func wait(on clock: any Clock<Duration>, unless isHalted: () -> Bool = { false }) async {
    while state.withLock({ $0.isBusy && !$0.isStopping }), !isHalted(), !Task.isCancelled {
      await bell.wait(atMost: nil, on: clock)
    }
  }

  /// Does something of an arm, with a wish to stop that is said as soon as real work comes.
  func give<Value>(_ cancellation: Cancellation, _ body: () async throws -> Value) async rethrows -> Value {
    let isWanted = state.withLock { state in
      state.current = cancellation
      return !state.isBusy && !state.isStopping
    }
    if !isWanted { cancellation.cancel(.shutdown) }
    defer { state.withLock { $0.current = nil } }
    return try await body()
  }
}
