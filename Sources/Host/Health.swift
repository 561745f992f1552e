import CSystem
import Core
import Glibc

/// What this machine is asked by `doctor`.
package enum Health {
  /// The kind of filesystem a path lies on, by its magic number, statfs(2).
  package struct Filesystem: Sendable, Equatable {
    package var name: String
    /// Whether other machines may write to it, whose events and leases this kernel does not see.
    package var isRemote: Bool
    package var free: Int
    package var device: UInt64
  }

  package static func filesystem(of path: String) -> Filesystem? {
    var (status, space) = (stat(), statvfs())
    let found = penstock_filesystem_magic(path)
    guard found >= 0, stat(path, &status) == 0, statvfs(path, &space) == 0 else { return nil }
    let magic = UInt32(truncatingIfNeeded: found)
    let known = magics[magic]
    return Filesystem(
      name: known?.name ?? "type 0x" + String(magic, radix: 16), isRemote: known?.isRemote ?? false,
      free: Int(space.f_bavail) * Int(space.f_frsize), device: UInt64(status.st_dev))
  }

  /// From linux/magic.h.
  private static let magics: [UInt32: (name: String, isRemote: Bool)] = [
    0xEF53: ("ext4", false), 0x5846_5342: ("xfs", false), 0x9123_683E: ("btrfs", false),
    0x0102_1994: ("tmpfs", false), 0x794C_7630: ("overlayfs", false), 0x2FC1_2FC1: ("zfs", false),
    0xF2F5_2010: ("f2fs", false), 0x4D44: ("vfat", false), 0x2011_BAB0: ("exfat", false),
    0x6969: ("nfs", true), 0xFF53_4D42: ("cifs", true), 0xFE53_4D42: ("smb", true), 0x517B: ("smb", true),
    0x6573_5546: ("fuse", true), 0x00C3_6400: ("ceph", true), 0x0102_1997: ("9p", true),
    0x0187: ("autofs", true),
  ]

  package struct Mode: Sendable, Equatable {
    package var permissions: UInt32
    package var owner: UInt32
    package var isDirectory: Bool
    package var isMine: Bool
    package var isWritable: Bool
  }

  /// `nil` where it is missing.
  package static func mode(of path: String) -> Mode? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    return Mode(
      permissions: status.st_mode & 0o7777, owner: status.st_uid,
      isDirectory: status.st_mode & S_IFMT == S_IFDIR,
      isMine: status.st_uid == geteuid(), isWritable: access(path, W_OK | X_OK) == 0)
  }

  /// Whether a file can be renamed from one directory into the other: tried with a hidden empty file.
  /// - Returns: why not, in words.
  package static func renameTrouble(from: String, to: String) -> String? {
    let name = "/.doctor-\(getpid())"
    let file = open(from + name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard file >= 0 else { return "no file can be made in `\(from)`: \(String(cString: strerror(errno)))" }
    close(file)
    defer { unlink(from + name) }
    guard rename(from + name, to + name) == 0 else {
      return errno == EXDEV ? "they are on different filesystems" : String(cString: strerror(errno))
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
    guard let bytes = try? read("/proc/sys/fs/inotify/" + name) else { return nil }
    return Int(String(decoding: bytes, as: UTF8.self).filter(\.isNumber))
  }

  /// Instances and watches of this user's processes, as far as /proc shows them.
  package static func inotifyUsage() -> (instances: Int, watches: Int) {
    var usage = (instances: 0, watches: 0)
    guard let processes = try? names(in: "/proc") else { return usage }
    for process in processes where process.allSatisfy(\.isNumber) {
      for fd in (try? names(in: "/proc/\(process)/fdinfo")) ?? [] {
        guard link("/proc/\(process)/fd/\(fd)") == "anon_inode:inotify" else { continue }
        usage.instances += 1
        let info = (try? read("/proc/\(process)/fdinfo/\(fd)")) ?? []
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

  private static func link(_ path: String) -> String? {
    var buffer = [CChar](repeating: 0, count: 256)
    let got = readlink(path, &buffer, 255)
    return got > 0 ? String(decoding: buffer[..<got].map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
  }

  private static func read(_ path: String) throws -> [UInt8] {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw HostError.failed("read", path) }
    defer { close(file) }
    var (bytes, buffer) = ([UInt8](), [UInt8](repeating: 0, count: 16 << 10))
    while true {
      let got = Glibc.read(file, &buffer, buffer.count)
      guard got > 0 else { return bytes }
      bytes += buffer[..<got]
    }
  }
}
