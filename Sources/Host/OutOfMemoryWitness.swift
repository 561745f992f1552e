import Glibc
import Synchronization

/// Tells a SIGKILL of the kernel, for want of memory, from one of a person: the kernel counts its own.
///
/// `oom_kill` of /proc/vmstat counts for the whole machine, so another program may have been meant; a program that was
/// killed while the count grew is told as one of them.
final class OutOfMemoryWitness: Sendable {
  private let path: String
  private let known: Mutex<Int?>

  init(path: String = "/proc/vmstat") {
    self.path = path
    known = Mutex(Self.count(path))
  }

  /// Whether the count has grown since the last time this was asked.
  func hasGrown() -> Bool {
    let now = Self.count(path)
    return known.withLock { known in
      defer { known = now ?? known }
      guard let now, let before = known else { return false }
      return now > before
    }
  }

  private static func count(_ path: String) -> Int? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 64 << 10)
    let count = read(file, &bytes, bytes.count)
    let line = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).split(separator: "\n").first {
      $0.hasPrefix("oom_kill ")
    }
    return line.flatMap { Int($0.dropFirst("oom_kill ".count)) }
  }
}
