import CSystem
import Glibc

/// What the kernel says of another process of ours.
struct ProcessFigures: Sendable {
  let process: Int32

  /// CPU time of all its threads, seconds, by its clock (clock_getcpuclockid(3)); `nil` where it is gone.
  var ownCPU: Double? {
    var clock = clockid_t()
    var time = timespec()
    guard clock_getcpuclockid(process, &clock) == 0, clock_gettime(clock, &time) == 0 else { return nil }
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// CPU time of the children it has waited for and of theirs, seconds, in ticks of 10 ms (proc_pid_stat(5), cutime
  /// and cstime); `nil` where it is gone.
  var childrenCPU: Double? {
    guard let fields = fields(of: "stat", after: UInt8(ascii: ")")), fields.count > 14 else { return nil }
    // of what follows the name the first is field 3
    guard let user = Double(fields[13]), let system = Double(fields[14]) else { return nil }
    return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  /// Resident set, bytes (proc_pid_statm(5)); `nil` where it is gone.
  var resident: Int? {
    guard let fields = fields(of: "statm", after: nil), fields.count > 1, let pages = Int(fields[1]) else { return nil }
    return pages * sysconf(Int32(_SC_PAGESIZE))
  }

  /// Its name as `ps` shows it, proc_pid_comm(5), which may hold anything; `nil` where it is gone.
  var program: String? {
    contents(of: "comm") { String(decoding: $0.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self) }
  }

  /// Sets the soft RLIMIT_CPU, setrlimit(2), in whole seconds; what it has used already does not count.
  func allow(_ cpuTime: Duration) {
    let seconds = (ownCPU ?? 0) + cpuTime / .seconds(1)
    if cpu_limit_set(process, UInt64(seconds.rounded(.up))) != 0 { return }
  }

  /// Of `/proc/PID/name`, those behind the last `mark`; `nil` where the process is gone.
  func fields(of name: String, after mark: UInt8?) -> [Substring]? {
    contents(of: name) { bytes in
      let begin = mark.flatMap { bytes.lastIndex(of: $0) }.map { $0 + 1 } ?? 0
      return String(decoding: bytes[begin...], as: UTF8.self).split { $0 == " " || $0 == "\n" }
    }
  }

  /// The first KiB of `/proc/PID/name`; `nil` where the process is gone.
  private func contents<Value>(of name: String, _ read: (UnsafeRawBufferPointer) -> Value) -> Value? {
    let file = open("/proc/\(process)/\(name)", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { _ = close(file) }
    return withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 1) { buffer in
      let count = Glibc.read(file, buffer.baseAddress, buffer.count)
      return count > 0 ? read(UnsafeRawBufferPointer(rebasing: buffer[..<count])) : nil
    }
  }
}
