import Glibc

/// A file as stat(2) finds it, whatever links lead there.
package enum RegularFile {
  /// The size; `nil` where there is no regular file.
  package static func bytes(at path: String) -> Int? {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    return Int(status.st_size)
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
