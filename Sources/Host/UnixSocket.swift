import Core
import Glibc

/// Addresses and plain calls of unix(7) stream sockets.
enum UnixSocket {
  /// The path of an address is at most 107 bytes: a longer one is reached through the open directory.
  static func address<Result>(
    _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) throws -> Result
  ) throws -> Result {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    let room = MemoryLayout.size(ofValue: address.sun_path)
    guard bytes.count < room else { return try through(path, body) }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    return try withUnsafePointer(to: &address) { pointer in
      try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        try body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
  }

  private static func through<Result>(
    _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) throws -> Result
  ) throws -> Result {
    guard let slash = path.lastIndex(of: "/") else { throw HostError("the socket path `\(path)` is too long") }
    let directory = try Directory(path: String(path[..<slash]))
    return try address("/proc/self/fd/\(directory.fd)" + path[slash...], body)
  }

  static func make() throws -> Int32 {
    let fd = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard fd >= 0 else { throw HostError("cannot make a socket: \(String(cString: strerror(errno)))", code: errno) }
    return fd
  }

  /// Sends all of it; the other side may be gone.
  static func send(_ fd: Int32, _ bytes: [UInt8]) -> Bool {
    var offset = 0
    while offset < bytes.count {
      let put = bytes[offset...].withUnsafeBytes { Glibc.send(fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      if put < 0, errno == EINTR { continue }
      guard put > 0 else { return false }
      offset += put
    }
    return true
  }

  static func setTimeout(_ fd: Int32, _ option: Int32, seconds: Int) {
    var time = timeval(tv_sec: seconds, tv_usec: 0)
    setsockopt(fd, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size))
  }
}
