import CSystem
import Core
import Glibc

/// The spawner and the keepers that an agent left behind when it died: they hold its lock until what it ran is gone.
package struct LockHolder: Sendable, Equatable {
  package let pid: Int32
  /// As `ps` shows it, proc_pid_comm(5): at most 15 bytes.
  package let program: String

  private static let programs: Set<String> = ["penstock-keeper", "penstock-spawne"]

  /// Those of this user that have the file open, found by `/proc/PID/fd`.
  /// - Parameter lock: the file, opened.
  static func all(of lock: Int32) -> [LockHolder] {
    var file = stat()
    guard fstat(lock, &file) == 0 else { return [] }
    var found: [LockHolder] = []
    ProcessList.forEach { pid in
      if let holder = LockHolder(pid, of: file) { found.append(holder) }
    }
    return found.sorted { $0.pid < $1.pid }
  }

  private init?(_ pid: Int32, of file: stat) {
    let program = ProcessFigures(process: pid).program
    var owner = stat()
    guard let program, Self.programs.contains(program), stat("/proc/\(pid)", &owner) == 0, owner.st_uid == geteuid()
    else { return nil }
    var isHeld = false
    ProcessList.forEachDescriptor(of: pid) { _, status in
      if (status.st_dev, status.st_ino) == (file.st_dev, file.st_ino) { isHeld = true }
    }
    guard isHeld else { return nil }
    (self.pid, self.program) = (pid, program)
  }

  init(pid: Int32, program: String) { (self.pid, self.program) = (pid, program) }

  /// One that is stopped goes on, and sees that it is to end.
  /// - Parameter lock: the file, opened; who does not hold it is left alone.
  func wake(of lock: Int32) {
    let held = Descriptor(owning: process_open(pid))
    var file = stat()
    guard held.number >= 0, fstat(lock, &file) == 0, LockHolder(pid, of: file) == self else { return }
    _ = process_signal(held.number, SIGCONT)
  }
}
