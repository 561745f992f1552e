import Glibc
import Synchronization

/// Tells systemd how the agent stands, sd_notify(3); without NOTIFY_SOCKET it says nothing.
package final class SystemdNotifier: Sendable {
  private let socketPath: String?
  private let reactor: Reactor
  /// Half of what WATCHDOG_USEC allows; `nil` where no watchdog watches.
  private let interval: Duration?
  private let isStopped = Mutex(false)

  package init(environment: [String: String], reactor: Reactor) {
    socketPath = environment["NOTIFY_SOCKET"]
    self.reactor = reactor
    interval = environment["WATCHDOG_USEC"].flatMap { Int64($0) }.map { .microseconds($0 / 2) }
  }

  package func ready() {
    send("READY=1\nSTATUS=watching the inbox")
    if interval != nil { beat() }
  }

  package func stopping() {
    isStopped.withLock { $0 = true }
    send("STOPPING=1")
  }

  /// On the reactor's thread: a reactor that hangs is what the watchdog is for.
  private func beat() {
    guard let interval, !isStopped.withLock({ $0 }) else { return }
    send("WATCHDOG=1")
    _ = reactor.after(interval) { [weak self] in self?.beat() }
  }

  private func send(_ text: String) {
    guard let socketPath else { return }
    let fd = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard fd >= 0 else { return }
    defer { close(fd) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    var bytes = Array(socketPath.utf8)
    // the abstract namespace is written with @
    if bytes.first == UInt8(ascii: "@") { bytes[0] = 0 }
    guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    let size = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
    let message = Array(text.utf8)
    withUnsafePointer(to: &address) { pointer in
      _ = pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        sendto(fd, message, message.count, Int32(MSG_NOSIGNAL), $0, size)
      }
    }
  }
}
