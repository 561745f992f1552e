import Core
import Glibc

/// A symbolic link.
enum Link {
  /// What it leads to, as it was written; `nil` where there is none.
  ///
  /// By readlink(2), which asks nothing of a server that may not answer; errno is then that call's.
  static func target(of path: String) -> FileName? {
    var target = [CChar](repeating: 0, count: Int(PATH_MAX))
    let length = readlink(path, &target, target.count)
    return length > 0 ? FileName(target.prefix(length).map(UInt8.init(bitPattern:))) : nil
  }
}
