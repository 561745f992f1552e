import CSystem
import Core
import Glibc
import Synchronization

/// SIGINT and SIGTERM as calls on the reactor's thread; until there is one of these they end the program.
package final class StopSignals: Sendable {
  private let descriptor: Descriptor

  /// Catches the two from now on, in every thread.
  /// - Parameter onSignal: gets the signal's number.
  package init(reactor: Reactor, onSignal: @escaping @Sendable (Int32) -> Void) throws {
    let fd = try SystemError.check(stop_signals(), "wait for signals")
    descriptor = Descriptor(owning: fd)
    _ = try reactor.register(fd, for: .readable) { _ in
      var number: Int32 = 0
      while stop_signal_read(fd, &number) > 0 { onSignal(number) }
    }
  }
}
