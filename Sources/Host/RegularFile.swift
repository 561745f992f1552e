import Glibc

/// A file as stat(2) finds it, whatever links lead there.
package enum RegularFile {
  /// The size; `nil` where there is no regular file.
  package static func bytes(at path: String) -> Int? {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    return Int(status.st_size)
  }
}
