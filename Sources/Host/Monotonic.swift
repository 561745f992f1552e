import Glibc

/// CLOCK_MONOTONIC, the clock of epoll_wait(2) and of the spawner.
enum Monotonic {
  /// Nanoseconds since some moment before the host started.
  static func now() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}

extension Duration {
  /// Whole nanoseconds, at most half of what fits, so that a sum with the present still does.
  var nanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let most = Int64.max / 2
    guard abs(seconds) < most / 1_000_000_000 else { return seconds > 0 ? most : -most }
    return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
  }
}
