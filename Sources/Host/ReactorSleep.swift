import Synchronization

extension Reactor {
  /// Waits for `delay` without a thread and without a wake-up before its end.
  ///
  /// `Task.sleep` on Linux wakes a thread of libdispatch every second for as long as it sleeps.
  /// - Throws: `CancellationError`, at once, when the task is cancelled.
  package func sleep(for delay: Duration) async throws {
    let sleeper = Sleeper()
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        sleeper.wait(continuation, alarm: after(delay) { sleeper.end(.success(())) })
      }
    } onCancel: {
      if let alarm = sleeper.end(.failure(CancellationError())) { cancel(alarm) }
    }
  }
}

/// One who sleeps, is woken once, by whoever is first.
private final class Sleeper: Sendable {
  private struct State {
    var continuation: CheckedContinuation<Void, any Error>?
    var alarm: Reactor.Alarm?
    var result: Result<Void, any Error>?
  }

  private let state = Mutex(State())

  func wait(_ continuation: CheckedContinuation<Void, any Error>, alarm: Reactor.Alarm) {
    let result = state.withLock { state in
      if state.result == nil {
        state.continuation = continuation
        state.alarm = alarm
      }
      return state.result
    }
    if let result { continuation.resume(with: result) }
  }

  /// The alarm that is not needed any more.
  @discardableResult
  func end(_ result: Result<Void, any Error>) -> Reactor.Alarm? {
    let (continuation, alarm) = state.withLock { state in
      defer {
        if state.result == nil { state.result = result }
        state.continuation = nil
        state.alarm = nil
      }
      return (state.continuation, state.alarm)
    }
    continuation?.resume(with: result)
    return alarm
  }
}
