import Core
import Glibc
import Synchronization

/// readdir(3) in portions: the names of a directory, however many, in the memory of a few.
///
/// What is added or removed meanwhile may or may not be seen; everything else is seen once.
final class DirectoryStream: NameStream {
  private let stream: Mutex<OpaquePointer?>
  /// For words only.
  private let path: String

  init(_ directory: Directory) throws {
    let copy = openat(directory.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard copy >= 0 else { throw HostError.failed("read the directory", directory.path) }
    guard let opened = fdopendir(copy) else {
      let code = errno
      close(copy)
      throw HostError.failed("read the directory", directory.path, code: code)
    }
    stream = Mutex(opened)
    path = directory.path
  }

  deinit { stream.withLock { if let stream = $0 { closedir(stream) } } }

  func next(_ limit: Int) throws -> [FileName] {
    try stream.withLock { stream in
      guard let open = stream else { return [] }
      var names: [FileName] = []
      while names.count < limit {
        errno = 0
        guard let entry = readdir(open) else {
          let code = errno
          closedir(open)
          stream = nil
          if code != 0 { throw HostError.failed("read the directory", path, code: code) }
          break
        }
        if let name = FileName(entry: entry) { names.append(name) }
      }
      return names
    }
  }
}

extension FileName {
  /// `nil` for `.` and `..`.
  fileprivate init?(entry: UnsafeMutablePointer<dirent>) {
    let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
    if bytes == [0x2E] || bytes == [0x2E, 0x2E] { return nil }
    self.init(bytes)
  }
}
