package import Core
import Foundation
import Synchronization

/// Holds new runs back from their COMMIT until what they tell of is durable too; what depends on them is prepared
/// meanwhile.
package final class CommitGate: Sendable {
  private struct State {
    var result: Result<Void, any Error>?
    var drafts: [NewRun]?
  }

  /// Given when they are on the disk.
  package let recording = Permit()
  private let state = Mutex(State())
  private let bell = DispatchSemaphore(value: 0)

  package init() {}

  /// Lets the runs go on, or fails them.
  ///
  /// Must be called once, whatever happens: until then nothing is recorded.
  package func open(_ result: Result<Void, any Error>) {
    state.withLock { $0.result = result }
    bell.signal()
  }

  /// What was told of the runs that stand here; `nil` until they do.
  var drafts: [NewRun]? { state.withLock { $0.drafts } }

  /// Tells of them, the first time, and waits.
  /// - Throws: what it was opened with.
  func hold(_ drafts: [NewRun], telling tell: ([NewRun]) -> Void) throws {
    let isFirst = state.withLock { state in
      defer { state.drafts = drafts }
      return state.drafts == nil
    }
    if isFirst { tell(drafts) }
    bell.wait()
    // a change that is tried again passes again
    bell.signal()
    try state.withLock { $0.result }?.get()
  }
}
