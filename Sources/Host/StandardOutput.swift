import Glibc
import Synchronization

/// The program's stdout, and the first thing that went wrong with it.
package enum StandardOutput {
  /// errno(3) of the first write that failed; 0 while all went well.
  private static let trouble = Mutex<Int32>(0)

  package static var failure: Int32 { trouble.withLock { $0 } }

  package static var isBroken: Bool { failure == EPIPE }

  /// Writes all of it; waits where nobody reads just now.
  /// - Returns: false where it cannot be written, now or since an earlier call.
  @discardableResult
  package static func write(_ bytes: [UInt8]) -> Bool {
    if failure != 0 { return false }
    var offset = 0
    while offset < bytes.count {
      let put = bytes[offset...].withUnsafeBytes { Glibc.write(1, $0.baseAddress, $0.count) }
      if put >= 0 {
        offset += put
      } else if errno == EAGAIN {
        var poll = pollfd(fd: 1, events: Int16(POLLOUT), revents: 0)
        _ = Glibc.poll(&poll, 1, -1)
      } else if errno != EINTR {
        let code = errno
        trouble.withLock { if $0 == 0 { $0 = code } }
        return false
      }
    }
    return true
  }
}
