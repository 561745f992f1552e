import Foundation
import Synchronization

/// Holds a change back from its COMMIT until what it tells of is durable too, so that both are prepared side by side.
package final class CommitGate: Sendable {
  private let state = Mutex<Result<Void, any Error>?>(nil)
  private let bell = DispatchSemaphore(value: 0)

  package init() {}

  /// Lets the change go on, or fails it.
  ///
  /// Must be called once, whatever happens: until then nothing is recorded.
  package func open(_ result: Result<Void, any Error>) {
    state.withLock { $0 = result }
    bell.signal()
  }

  /// - Throws: what it was opened with.
  func wait() throws {
    bell.wait()
    // a change that is tried again passes again
    bell.signal()
    try state.withLock { $0 }?.get()
  }
}
