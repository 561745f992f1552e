import Synchronization

/// Wakes one waiting loop: rung by anyone, waited on by one.
package final class Bell: Sendable {
  private struct State {
    var isRung = false
    var waiter: CheckedContinuation<Void, Never>?
  }

  private let state = Mutex(State())

  package init() {}

  /// Wakes the waiter, or lets the next wait return at once.
  package func ring() {
    let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
      defer { state.waiter = nil }
      if state.waiter == nil { state.isRung = true }
      return state.waiter
    }
    waiter?.resume()
  }

  /// Returns when the bell is rung, or after `limit`; `nil` waits for the bell alone, without any timer.
  func wait(atMost limit: Duration?, on clock: any Clock<Duration>) async {
    guard let limit else { return await silence() }
    if limit <= .zero { return }
    await withTaskGroup { group in
      group.addTask {
        do { try await clock.sleep(for: limit) } catch { return }
        self.ring()
      }
      await silence()
      group.cancelAll()
    }
  }

  private func silence() async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let wasRung = state.withLock { state -> Bool in
          if state.isRung || Task.isCancelled {
            state.isRung = false
            return true
          }
          state.waiter = continuation
          return false
        }
        if wasRung { continuation.resume() }
      }
    } onCancel: {
      ring()
    }
  }
}
