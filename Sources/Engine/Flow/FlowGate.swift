import Core

/// Says to every part of a flow that nothing more is to begin, and to its programs that they are to end.
struct FlowGate: Sendable {
  /// Said when no further call begins.
  let closing = Cancellation()
  /// Said when calls under way end too.
  let calls = Cancellation()

  func close() { closing.cancel(.shutdown) }

  func end(_ cause: Cancellation.Cause) {
    closing.cancel(cause)
    calls.cancel(cause)
  }

  var isClosed: Bool { closing.cause != nil }

  /// Waits; false where the flow was closed before the time was over.
  func sleep(for wait: Duration, on clock: any Clock<Duration>) async -> Bool {
    if wait <= .zero { return !isClosed }
    let bell = Bell()
    let token = closing.listen { _ in bell.ring() }
    defer { closing.forget(token) }
    await bell.wait(atMost: wait, on: clock)
    return !isClosed && !Task.isCancelled
  }
}
