import Foundation
import Glibc

/// What this machine says of itself.
package enum Machine {
  /// The id of the running boot, random(4) `/proc/sys/kernel/random/boot_id`; empty where it cannot be read.
  package static func bootID() -> String {
    let text = (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? ""
    return text.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// CLOCK_MONOTONIC since the start of the machine.
  package static func monotonic() -> Duration {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return .seconds(Int64(time.tv_sec)) + .nanoseconds(Int64(time.tv_nsec))
  }

  /// CLOCK_BOOTTIME: the same, and it goes on while the machine sleeps.
  package static func sinceBoot() -> Duration {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    return .seconds(Int64(time.tv_sec)) + .nanoseconds(Int64(time.tv_nsec))
  }

  package static var pid: Int32 { getpid() }

  package static var isRoot: Bool { geteuid() == 0 }

  /// The directory of the running program, links resolved.
  package static func programDirectory() -> String {
    guard let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") else {
      return "."
    }
    return path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
  }

  /// The path with every link in it resolved, realpath(3); `nil` where it leads nowhere.
  package static func resolved(_ path: String) -> String? {
    guard let found = realpath(path, nil) else { return nil }
    defer { free(found) }
    return String(cString: found)
  }

  /// A broken pipe is an error of write(2), not the end of the agent.
  package static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }

  /// Columns of the terminal on a descriptor; `nil` where it is none.
  package static func columns(of fd: Int32) -> Int? {
    guard isatty(fd) == 1 else { return nil }
    var size = winsize()
    guard ioctl(fd, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  /// Rows of the terminal on a descriptor; `nil` where it is none.
  package static func rows(of fd: Int32) -> Int? {
    var size = winsize()
    guard ioctl(fd, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0 else { return nil }
    return Int(size.ws_row)
  }
}
