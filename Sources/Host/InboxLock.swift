import Core
import Glibc

/// One agent per inbox, for two workspaces may have come to share one directory.
///
/// It is a name in the abstract namespace of unix(7), made of the directory's device and inode: it goes with its process
/// and, unlike flock(2), keeps no filesystem busy. Agents in containers of their own do not see it; two of them share the
/// drops, each of which still goes to one, since a claim is a rename.
package final class InboxLock: Sendable {
  private let fd: Descriptor

  /// Takes the lock.
  /// - Throws: `Held` where the agent of another workspace has it; `HostError` where there is no such directory.
  package init(path: String) throws {
    var status = stat()
    guard stat(path, &status) == 0 else { throw HostError.failed("look at", path) }
    fd = Descriptor(owning: socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0))
    guard fd.number >= 0 else { throw HostError.failed("lock", path) }
    let name = Array("penstock inbox \(status.st_dev):\(status.st_ino)".utf8)
    if Self.withAddress(name, { bind(fd.number, $0, $1) }) < 0 {
      guard errno == EADDRINUSE else { throw HostError.failed("lock", path) }
      throw Held(path: path)
    }
  }

  package struct Held: Error, CustomStringConvertible {
    package let path: String

    package var description: String {
      "an agent of another workspace takes its drops from `\(Display.escaped(path))`: "
        + "an inbox belongs to one agent; stop that one, or give this workspace an inbox of its own"
    }
  }

  /// An abstract name begins with a NUL and is as long as the address says.
  private static func withAddress(
    _ name: [UInt8], _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { path in
      for (place, byte) in name.prefix(path.count - 1).enumerated() { path[place + 1] = byte }
    }
    let size = socklen_t(MemoryLayout<sa_family_t>.size + 1 + name.count)
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, size) }
    }
  }
}
