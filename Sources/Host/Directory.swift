import CSystem
import Core
import Glibc

/// An open directory: names are looked up in it, never through a path that someone could swap.
final class Directory: Sendable {
  let fd: Int32
  /// For words only.
  let path: String

  /// Opens a directory.
  init(path: String) throws {
    let fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard fd >= 0 else { throw HostError.failed("open the directory", path) }
    self.fd = fd
    self.path = path
  }

  init(fd: Int32, path: String) {
    self.fd = fd
    self.path = path
  }

  deinit { close(fd) }

  /// Opens a directory below this one, made with mode 0700 where `making`; links are not followed.
  func directory(_ name: String, making: Bool = false) throws -> Directory {
    let inner = path + "/" + name
    let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
    var opened = openat(fd, name, flags)
    // it is there already more often than not
    if opened < 0, errno == ENOENT, making {
      if mkdirat(fd, name, 0o700) < 0, errno != EEXIST { throw HostError.failed("make", inner) }
      opened = openat(fd, name, flags)
    }
    guard opened >= 0 else { throw HostError.failed("open the directory", inner) }
    return Directory(fd: opened, path: inner)
  }

  /// Calls `body` with every name but `.` and `..`.
  func forEachName(_ body: (FileName) -> Void) throws {
    let copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard copy >= 0, let stream = fdopendir(copy) else { throw HostError.failed("read the directory", path) }
    defer { closedir(stream) }
    while true {
      errno = 0
      guard let entry = readdir(stream) else {
        if errno != 0 { throw HostError.failed("read the directory", path) }
        return
      }
      let name = withUnsafePointer(to: &entry.pointee.d_name) { field in
        field.withMemoryRebound(to: UInt8.self, capacity: 256) { bytes in
          FileName(
            UnsafeBufferPointer(
              start: bytes, count: strlen(UnsafeRawPointer(bytes).assumingMemoryBound(to: CChar.self))))
        }
      }
      if name.bytes != [0x2E], name.bytes != [0x2E, 0x2E] { body(name) }
    }
  }

  func sync() throws {
    guard fsync(fd) == 0 else { throw HostError.failed("fsync", path) }
  }
}

extension FileName {
  /// The name as C wants it.
  func withCName<Result>(_ body: (UnsafePointer<CChar>) throws -> Result) rethrows -> Result {
    try (bytes + [0]).withUnsafeBufferPointer { buffer in
      try buffer.withMemoryRebound(to: CChar.self) { characters in
        guard let base = characters.baseAddress else { preconditionFailure("a name with its NUL is never empty") }
        return try body(base)
      }
    }
  }
}

extension HostError {
  static func failed(_ what: String, _ path: FileName, code: Int32 = errno) -> HostError {
    HostError("cannot \(what) `\(path.displayed)`: \(String(cString: strerror(code)))", code: code)
  }

  /// `cannot make `x`: No space left on device`, from errno where no code is given.
  static func failed(_ what: String, _ path: String, code: Int32 = errno) -> HostError {
    HostError("cannot \(what) `\(Display.escaped(path))`: \(String(cString: strerror(code)))", code: code)
  }
}

extension Directory {
  /// fstat(2) of a name, links not followed; `nil` where it is gone.
  func sample(of name: FileName) -> FileSample? {
    var status = stat()
    let found = name.withCName { fstatat(fd, $0, &status, AT_SYMLINK_NOFOLLOW) }
    return found == 0 ? FileSample(status) : nil
  }

  /// fsync(2) of a file; what is no regular file has nothing to sync.
  func syncFile(_ name: FileName) throws {
    var status = stat()
    let found = name.withCName { fstatat(fd, $0, &status, AT_SYMLINK_NOFOLLOW) }
    // to open a pipe or a device may do more than look at it
    if found == 0, status.st_mode & S_IFMT != S_IFREG { return }
    let file = name.withCName { openat(fd, $0, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK) }
    if file < 0 {
      if [ELOOP, ENXIO, EACCES, ENOENT].contains(errno) { return }
      throw HostError.failed("open", path + "/" + name.displayed)
    }
    defer { close(file) }
    guard fsync(file) == 0 else { throw HostError.failed("fsync", path + "/" + name.displayed) }
  }

  /// Writes a small file durably by rename, mode 0600: readers see the old content or the new.
  func write(_ bytes: [UInt8], to name: String) throws {
    let temporary = ".\(name).new"
    // what a crash left, and whatever else has the name
    unlinkat(fd, temporary, 0)
    let file = openat(fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw HostError.failed("make", path + "/" + name) }
    defer { close(file) }
    var offset = 0
    while offset < bytes.count {
      let put = bytes[offset...].withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
      if put < 0, errno == EINTR { continue }
      guard put > 0 else { throw HostError.failed("write", path + "/" + name) }
      offset += put
    }
    guard fsync(file) == 0, renameat(fd, temporary, fd, name) == 0 else {
      throw HostError.failed("write", path + "/" + name)
    }
    try sync()
  }

  /// Removes a file or a whole directory; links are removed, never followed.
  func removeTree(_ name: FileName) throws {
    if name.withCName({ unlinkat(fd, $0, 0) }) == 0 || errno == ENOENT { return }
    guard errno == EISDIR || errno == EPERM else { throw HostError.failed("remove", path + "/" + name.displayed) }
    let opened = name.withCName { openat(fd, $0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) }
    guard opened >= 0 else { throw HostError.failed("remove", path + "/" + name.displayed) }
    let inner = Directory(fd: opened, path: path + "/" + name.displayed)
    var names: [FileName] = []
    try inner.forEachName { names.append($0) }
    for name in names { try inner.removeTree(name) }
    guard name.withCName({ unlinkat(fd, $0, AT_REMOVEDIR) }) == 0 || errno == ENOENT else {
      throw HostError.failed("remove", path + "/" + name.displayed)
    }
  }
}
