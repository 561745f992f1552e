import Glibc

/// Which limit of inotify(7) was met, and what to set.
enum InotifyLimit {
  /// In words, with the sysctl and its value now; other errors as they are.
  static func words(_ error: SystemError) -> String {
    switch error.code {
    case ENOSPC: limit("watches", "fs.inotify.max_user_watches", "user.max_inotify_watches")
    case EMFILE: limit("instances", "fs.inotify.max_user_instances", "user.max_inotify_instances")
    default: SystemError.words(error.code)
    }
  }

  /// The lower of the two is the one that was met: that of the user, or that of the user namespace.
  private static func limit(_ noun: String, _ name: String, _ ofNamespace: String) -> String {
    let (own, inner) = (value(name), value(ofNamespace))
    let met = inner ?? .max < own ?? .max ? ofNamespace : name
    let now = [own, inner].compactMap { $0 }.min().map { " (now \($0))" } ?? ""
    return "no inotify \(noun) are left to this user: raise `sysctl \(met)`\(now)"
  }

  private static func value(_ name: String) -> Int? {
    let file = open("/proc/sys/" + name.replacing(".", with: "/"), O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var buffer = [UInt8](repeating: 0, count: 32)
    let got = read(file, &buffer, buffer.count)
    guard got > 0 else { return nil }
    return Int(String(decoding: buffer[..<got].prefix { $0 >= 0x30 && $0 <= 0x39 }, as: UTF8.self))
  }
}
