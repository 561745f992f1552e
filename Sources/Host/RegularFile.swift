import Core
package import Foundation
import Glibc

/// A file as stat(2) finds it, whatever links lead there.
package enum RegularFile {
  /// Opens a file as open(2) does; what is no regular file is refused with ENXIO, for to open a pipe waits for who is at
  /// its other end.
  /// - Parameter directory: an open one in which `path` is looked up where it is relative.
  static func open(_ path: String, in directory: Int32 = AT_FDCWD, _ flags: Int32) -> Int32 {
    let file = openat(directory, path, flags | O_NONBLOCK | O_CLOEXEC, 0o600)
    guard file >= 0 else { return -1 }
    var status = stat()
    if fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG { return file }
    close(file)
    errno = ENXIO
    return -1
  }

  /// Everything that stands in a file; `nil` where there is none.
  /// - Throws: `HostError` where it cannot be read, or is no regular file.
  package static func contents(at path: String) throws -> [UInt8]? {
    let file = open(path, O_RDONLY)
    guard file >= 0 else {
      if errno == ENOENT { return nil }
      throw HostError.failed("read", path)
    }
    defer { close(file) }
    return try rest(of: file, path)
  }

  /// What stands in an open file from where it is read next.
  /// - Parameter path: for words.
  static func rest(of file: Int32, _ path: String) throws -> [UInt8] {
    var (bytes, buffer) = ([UInt8](), [UInt8](repeating: 0, count: 64 << 10))
    while true {
      let got = read(file, &buffer, buffer.count)
      if got < 0, errno == EINTR { continue }
      guard got >= 0 else { throw HostError.failed("read", path) }
      if got == 0 { return bytes }
      bytes += buffer[..<got]
    }
  }

  /// The size; `nil` where there is no regular file.
  package static func bytes(at path: String) -> Int? {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    return Int(status.st_size)
  }

  /// When its content was changed last; `nil` where there is none.
  package static func changed(at path: String) -> Date? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    return Date(timeIntervalSince1970: Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) / 1e9)
  }

  /// Why there is no regular file, in words: `it is a directory`; `nil` where there is one.
  package static func refusal(at path: String) -> String? {
    var status = stat()
    if stat(path, &status) != 0 { return errno == ENOENT ? "no such file" : String(cString: strerror(errno)) }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return nil
    case S_IFDIR: return "it is a directory"
    default: return "it is no regular file"
    }
  }
}
