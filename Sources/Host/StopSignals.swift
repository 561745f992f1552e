import CSystem
import Core
import Glibc
import Synchronization

/// SIGINT and SIGTERM as calls on the reactor's thread, through signalfd(2).
package final class StopSignals: Sendable {
  private let descriptor: Descriptor

  /// Blocks the two in every thread made later, so call it first.
  /// - Parameter onSignal: gets the signal's number.
  package init(reactor: Reactor, onSignal: @escaping @Sendable (Int32) -> Void) throws {
    let fd = try SystemError.check(stop_signals(), "wait for signals")
    descriptor = Descriptor(owning: fd)
    _ = try reactor.register(fd, for: .readable) { _ in
      var number: Int32 = 0
      while stop_signal_read(fd, &number) > 0 { onSignal(number) }
    }
  }

  /// Must be called on the main thread before any other is made.
  package static func block() { stop_signals_block() }
}
