import Glibc
import Synchronization

/// One inotify(7) instance: its watches, and its events on the reactor's thread.
final class InotifyQueue: Sendable {
  private let reactor: Reactor
  private let descriptor: Descriptor
  private let registration = Mutex<Reactor.Registration?>(nil)

  /// - Parameter take: called on the reactor's thread.
  /// - Throws: `SystemError`: EMFILE where this user or process has no more instances.
  init(reactor: Reactor, take: @escaping @Sendable ([InotifyEvent]) -> Void) throws {
    self.reactor = reactor
    let fd = try SystemError.check(
      inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC)), "make an inotify instance")
    descriptor = Descriptor(owning: fd)
    let descriptor = descriptor
    let made = try reactor.register(fd, for: .readable) { _ in Self.drain(descriptor, take) }
    registration.withLock { $0 = made }
  }

  deinit { stop() }

  /// Watches a path for `events`, in place of what it was watched for.
  /// - Throws: `SystemError`: ENOSPC where this user has no more watches.
  func watch(_ path: String, for events: UInt32) throws -> Int32 {
    try SystemError.check(inotify_add_watch(descriptor.number, path, events), "watch `\(path)`")
  }

  func forget(_ watch: Int32) { _ = inotify_rm_watch(descriptor.number, watch) }

  func stop() {
    let made = registration.withLock { registration in
      defer { registration = nil }
      return registration
    }
    if let made { reactor.cancel(made) }
    descriptor.close()
  }

  private static func drain(_ descriptor: Descriptor, _ take: ([InotifyEvent]) -> Void) {
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let got = read(descriptor.number, &buffer, buffer.count)
      guard got > 0 else { return }
      take(InotifyEvent.parse(buffer[..<got]))
    }
  }
}
