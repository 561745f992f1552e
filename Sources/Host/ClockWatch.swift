import Core
import CSystem
import Glibc

/// Tells by timerfd_create(2) when the wall clock is set or the machine wakes, without looking from time to time.
package final class ClockWatch: Sendable {
  private let fd: Descriptor
  private let registration: Reactor.Registration
  private let reactor: Reactor

  /// - Parameter onSet: called on the reactor's thread.
  /// - Throws: `HostError`.
  package init(reactor: Reactor, onSet: @escaping @Sendable () -> Void) throws {
    let opened = event_loop_clock_create()
    guard opened >= 0 else { throw HostError.failed("watch", "the clock") }
    self.reactor = reactor
    fd = Descriptor(owning: opened)
    registration = try reactor.register(opened, for: .readable) { _ in
      if event_loop_clock_was_set(opened) { onSet() }
    }
  }

  package func stop() {
    reactor.cancel(registration)
    fd.close()
  }
}
