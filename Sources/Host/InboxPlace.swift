import Glibc
import Synchronization

/// The inbox by its path: when another directory takes its place, that one is the inbox.
final class InboxPlace: Sendable {
  enum Standing: Equatable {
    case same
    /// Another directory lies there, and is the inbox from now on.
    case replaced
    case missing
  }

  let path: String
  private let open: Mutex<Directory>

  init(path: String) throws {
    self.path = path
    open = Mutex(try Directory(path: path))
  }

  var directory: Directory { open.withLock { $0 } }

  /// Looks whether the path still leads to the directory that is open, and opens the one it leads to now.
  func attach() -> Standing {
    guard let found = try? Directory(path: path) else { return .missing }
    return open.withLock { open in
      if found.identity == open.identity { return .same }
      open = found
      return .replaced
    }
  }
}

extension Directory {
  /// Device and inode; a mount over it has others.
  fileprivate var identity: [UInt64]? {
    var status = stat()
    return fstat(fd, &status) == 0 ? [UInt64(status.st_dev), UInt64(status.st_ino)] : nil
  }
}
