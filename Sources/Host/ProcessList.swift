import Core
import Glibc

/// What /proc lists: proc(5).
enum ProcessList {
  /// Calls `body` with the number of every process; what begins or ends meanwhile may be missing.
  static func forEach(_ body: (Int32) -> Void) {
    try? Directory(path: "/proc").forEachName { name in
      if let process = name.text.flatMap({ Int32($0) }) { body(process) }
    }
  }

  /// Calls `body` with every descriptor of a process and the file behind it; with none where they may not be seen.
  static func forEachDescriptor(of process: Int32, _ body: (String, stat) -> Void) {
    guard let descriptors = try? Directory(path: "/proc/\(process)/fd") else { return }
    try? descriptors.forEachName { name in
      var status = stat()
      if name.withCName({ fstatat(descriptors.fd, $0, &status, 0) }) == 0 { body(name.text ?? "", status) }
    }
  }
}
