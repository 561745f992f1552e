import CSystem
import Core
import Glibc

extension Directory {
  /// Looks at a name without opening what is not a regular file.
  ///
  /// O_PATH and fstat(2) come first, so a pipe is never opened and a link never followed; the file is opened for
  /// reading through /proc/self/fd, so what was looked at is what is opened.
  func look(at name: FileName) throws -> Sighting {
    let handle = name.withCName { openat(fd, $0, openPath | O_NOFOLLOW | O_CLOEXEC) }
    guard handle >= 0 else {
      if errno == ENOENT { return .gone }
      throw HostError.failed("look at", path + "/" + name.displayed)
    }
    defer { close(handle) }
    var status = stat()
    guard fstat(handle, &status) == 0 else {
      throw HostError.failed("look at", path + "/" + name.displayed)
    }
    let sample = FileSample(status)
    switch status.st_mode & S_IFMT {
    case S_IFREG: return .file(sample, openness(of: handle, status))
    case S_IFDIR: return .directory
    case S_IFLNK: return .special(kind: "symbolic link", sample)
    case S_IFIFO: return .special(kind: "named pipe", sample)
    case S_IFSOCK: return .special(kind: "socket", sample)
    default: return .special(kind: "device", sample)
    }
  }

  private func openness(of handle: Int32, _ status: stat) -> Openness {
    let file = open("/proc/self/fd/\(handle)", O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    guard file >= 0 else {
      guard errno == EACCES else { return .unreadable(String(cString: strerror(errno))) }
      let mode = String(status.st_mode & 0o7777, radix: 8)
      return .unreadable("it belongs to user \(status.st_uid) with mode 0\(mode), and the agent is user \(geteuid())")
    }
    defer { close(file) }
    switch penstock_lease_probe(file) {
    case Int32(PENSTOCK_CLOSED.rawValue): return .closed
    case Int32(PENSTOCK_OPEN_FOR_WRITING.rawValue): return .openForWriting
    default: return .unknown
    }
  }
}

/// O_PATH of <fcntl.h>, which glibc's module shows only with _GNU_SOURCE.
private let openPath: Int32 = 0o10000000

extension FileSample {
  init(_ status: stat) {
    self.init(
      device: UInt64(status.st_dev), inode: UInt64(status.st_ino), bytes: Int(status.st_size),
      links: Int(status.st_nlink), modified: Int64(status.st_mtim), changed: Int64(status.st_ctim))
  }
}

extension Int64 {
  fileprivate init(_ time: timespec) { self = Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec) }
}
