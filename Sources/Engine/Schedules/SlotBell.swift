import Synchronization

/// Wakes the scheduler; at the end of a run only where a slot may wait for it.
package final class SlotBell: Sendable {
  let bell: Bell
  private let isAnyQueued = Mutex(true)

  /// - Parameter bell: rung by others too, where the wall clock is set or the machine wakes.
  package init(_ bell: Bell) { self.bell = bell }

  /// Whether a slot waits for the end of a run.
  var hasQueued: Bool {
    get { isAnyQueued.withLock { $0 } }
    set { isAnyQueued.withLock { $0 = newValue } }
  }

  func runEnded() { if hasQueued { bell.ring() } }
}
