import CSystem
package import Core
import Glibc

/// What this machine is asked by `doctor`.
package enum Health {
  /// The disk a path lies on, statfs(2).
  package struct Disk: Sendable, Equatable {
    package var kind: Filesystem
    package var free: Int
  }

  package static func disk(of path: String) -> Disk? {
    let magic = penstock_filesystem_magic(path)
    guard magic >= 0, let room = try? Directory(path: path).room() else { return nil }
    return Disk(kind: Filesystem(magic: UInt32(truncatingIfNeeded: magic)), free: room.freeBytes)
  }

  package struct Mode: Sendable, Equatable {
    package var permissions: UInt32
    package var owner: UInt32
    /// Or a link to one.
    package var isDirectory: Bool
    package var isLink: Bool
    package var isMine: Bool
    package var isWritable: Bool
  }

  /// `nil` where it is missing.
  package static func mode(of path: String) -> Mode? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    return Mode(
      permissions: status.st_mode & 0o7777, owner: status.st_uid,
      isDirectory: status.st_mode & S_IFMT == S_IFDIR, isLink: Link.target(of: path) != nil,
      isMine: status.st_uid == geteuid(), isWritable: access(path, W_OK | X_OK) == 0)
  }

  /// Why a file cannot be renamed from one directory into another.
  package enum RenameTrouble: Sendable, Equatable {
    case otherFilesystem
    case failed(String)
  }

  /// Whether a file can be renamed from one directory into the other: tried with a hidden empty file.
  package static func renameTrouble(from: String, to: String) -> RenameTrouble? {
    let name = "/.doctor-\(getpid())"
    let file = open(from + name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard file >= 0 else {
      return .failed("no file can be made in `\(from)`: \(String(cString: strerror(errno)))")
    }
    close(file)
    defer { unlink(from + name) }
    guard rename(from + name, to + name) == 0 else {
      return errno == EXDEV ? .otherFilesystem : .failed(String(cString: strerror(errno)))
    }
    unlink(to + name)
    return nil
  }

  /// Whether the kernel tells here that nobody has a file open for writing: tried on a hidden file.
  package static func leasesWork(in path: String) -> Bool {
    let name = ".doctor-lease-\(getpid())"
    let file = open(path + "/" + name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard file >= 0 else { return false }
    close(file)
    defer { unlink(path + "/" + name) }
    guard let directory = try? Directory(path: path),
      case .file(_, let openness) = try? directory.look(at: FileName(name))
    else { return false }
    return openness == .closed
  }

  /// A limit of inotify(7) from /proc/sys/fs/inotify; `nil` where it cannot be read.
  package static func inotifyLimit(_ name: String) -> Int? {
    guard let bytes = try? RegularFile.contents(at: "/proc/sys/fs/inotify/" + name) else { return nil }
    return Int(String(decoding: bytes, as: UTF8.self).filter(\.isNumber))
  }

  /// Instances and watches of this user's processes, as far as /proc shows them.
  package static func inotifyUsage() -> (instances: Int, watches: Int) {
    var usage = (instances: 0, watches: 0)
    guard let processes = try? names(in: "/proc") else { return usage }
    for process in processes where process.allSatisfy(\.isNumber) {
      for fd in (try? names(in: "/proc/\(process)/fdinfo")) ?? [] {
        guard Link.target(of: "/proc/\(process)/fd/\(fd)")?.text == "anon_inode:inotify" else { continue }
        usage.instances += 1
        let info = (try? RegularFile.contents(at: "/proc/\(process)/fdinfo/\(fd)")) ?? []
        usage.watches += info.split(separator: 0x0A).count { $0.starts(with: Array("inotify".utf8)) }
      }
    }
    return usage
  }

  private static func names(in path: String) throws -> [String] {
    var names: [String] = []
    try Directory(path: path).forEachName { name in name.text.map { names.append($0) } }
    return names
  }
}
