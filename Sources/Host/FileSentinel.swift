import Core
import Glibc

/// Tells by inotify(7) when one of some files loses its name, without looking from time to time.
package final class FileSentinel: Sendable {
  private let fd: Descriptor
  private let registration: Reactor.Registration
  private let reactor: Reactor

  /// - Parameter onChange: called on the reactor's thread when the file was moved, removed, or given other rights;
  ///   the caller looks which.
  /// - Throws: `HostError` where a file is not there or inotify has no room.
  package init(paths: [String], reactor: Reactor, onChange: @escaping @Sendable () -> Void) throws {
    let opened = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
    guard opened >= 0 else { throw HostError.failed("watch", paths.first ?? "") }
    let fd = Descriptor(owning: opened)
    // a removed file that is still open says IN_ATTRIB, for it has a name less
    let events = UInt32(IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF)
    for path in paths {
      guard inotify_add_watch(opened, path, events) >= 0 else { throw HostError.failed("watch", path) }
    }
    self.fd = fd
    self.reactor = reactor
    registration = try reactor.register(opened, for: .readable) { _ in
      var buffer = [UInt8](repeating: 0, count: 4096)
      while read(opened, &buffer, buffer.count) > 0 {}
      onChange()
    }
  }

  package func stop() {
    reactor.cancel(registration)
    fd.close()
  }
}
