import CSystem
import Core
import Glibc
import Synchronization

/// The inbox by its path: whatever directory lies there is the inbox.
///
/// It is opened anew for each use and held open by nobody, so that a filesystem mounted there can be unmounted.
final class InboxPlace: Sendable {
  enum Standing: Equatable {
    case same
    /// Another directory lies there than when it was looked at last.
    case replaced
    case missing
  }

  let path: String
  private let kind: @Sendable (UInt32) -> Filesystem
  private let last: Mutex<place_identity>

  /// - Parameter kind: what a magic number of statfs(2) means.
  /// - Throws: `HostError` where there is no directory, or it may not be read.
  init(path: String, kind: @escaping @Sendable (UInt32) -> Filesystem = { Filesystem(magic: $0) }) throws {
    self.path = path
    self.kind = kind
    last = Mutex(try Self.open(path).identified())
  }

  /// The directory that lies there now.
  var directory: Directory { get throws { try Self.open(path) } }

  private static func open(_ path: String) throws -> Directory {
    do { return try Directory(path: path) } catch { throw MissingDirectory.trouble(at: path) ?? error }
  }

  /// What the inbox lay on when it was looked at last.
  var filesystem: Filesystem { kind(last.withLock { $0.magic }) }

  /// Whether nothing lies there that could be a drop; false where that cannot be known.
  var isEmpty: Bool {
    guard let names = try? DirectoryStream(try directory) else { return false }
    while let some = try? names.next(64) {
      if some.isEmpty { return true }
      if some.contains(where: { CandidateName.refusal(of: $0) == nil }) { return false }
    }
    return false
  }

  /// Looks whether the path still leads to the directory it led to before.
  func attach() -> Standing {
    guard let found = try? Directory(path: path).identified() else { return .missing }
    return last.withLock { last in
      defer { last = found }
      return found.isSame(as: last) ? .same : .replaced
    }
  }
}

extension Directory {
  fileprivate func identified() throws -> place_identity {
    var identity = place_identity()
    let status = place_identify(fd, &identity)
    guard status == 0 else { throw HostError.failed("look at the directory", path, code: -status) }
    return identity
  }
}

extension place_identity {
  fileprivate func isSame(as other: place_identity) -> Bool {
    device == other.device && inode == other.inode && mount == other.mount && born == other.born
  }
}
