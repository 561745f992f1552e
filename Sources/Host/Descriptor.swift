import Glibc
import Synchronization

/// An open file descriptor, closed when the last one lets go of it, or before by `close`.
package final class Descriptor: Sendable {
  private let state: Mutex<Int32>

  package init(owning number: Int32) { state = Mutex(number) }

  /// -1 once it is closed.
  package var number: Int32 { state.withLock { $0 } }

  /// Closes it; later calls do nothing.
  ///
  /// A registration with a `Reactor` must be cancelled before.
  package func close() {
    let number = state.withLock { number in
      defer { number = -1 }
      return number
    }
    if number >= 0 { _ = Glibc.close(number) }
  }

  deinit { close() }
}
