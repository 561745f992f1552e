import Core
import Glibc

/// One agent per workspace: flock(2) on `var/agent.lock`, which is never removed.
///
/// The spawner and its keepers hold the same open file, so the lock is free only when every program of an agent that
/// died is gone.
package final class InstanceLock: Sendable {
  let fd: Int32

  /// Takes the lock; what an agent that died left behind is woken, so that it ends.
  /// - Throws: `Held` where another agent has it; `HostError` where the file cannot be used.
  package init(varPath: String, boot: String) throws {
    let path = varPath + "/agent.lock"
    let opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard opened >= 0 else { throw HostError.failed("open", path) }
    guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
      let code = errno
      // `fd` is not set yet: else `deinit` would close it once more, and by then it may be somebody else's
      defer { close(opened) }
      if code == EWOULDBLOCK { throw Self.held(opened) }
      throw HostError.failed("lock", path, code: code)
    }
    fd = opened
    // for people, and for the words of the one who comes second
    let text = Array("\(getpid()) \(boot)\n".utf8)
    ftruncate(fd, 0)
    pwrite(fd, text, text.count, 0)
  }

  deinit { close(fd) }

  package struct Held: Error, CustomStringConvertible {
    package let pid: Int32?
    /// False where it died and the last of its programs are just being ended.
    package let isAlive: Bool
    /// What an agent that died left behind.
    var left: [LockHolder] = []

    package var description: String {
      let who = pid.map { " (pid \($0))" } ?? ""
      if isAlive { return "another agent works in this workspace\(who): stop it first, or use `penstock status`" }
      guard !left.isEmpty else {
        return "an agent that died\(who) is still being cleaned up after: try again in a second"
      }
      let names = left.map { "`\(Display.escaped($0.program))` (pid \($0.pid))" }.joined(separator: ", ")
      let below = left.map { "\($0.pid)" }.joined(separator: ",")
      return "an agent that died\(who) is still being cleaned up after by \(names): try again in a second; "
        + "if it stays so, end the programs that `ps -o pid,stat,args --ppid \(below)` shows, and try again"
    }
  }

  private static func held(_ fd: Int32) -> Held {
    let holder = holder(fd)
    if let holder, kill(holder, 0) == 0, ProcessEntry.of(holder)?.state != .ended {
      return Held(pid: holder, isAlive: true)
    }
    let left = LockHolder.all(of: fd)
    for one in left { one.wake(of: fd) }
    return Held(pid: holder, isAlive: false, left: left)
  }

  private static func holder(_ fd: Int32) -> Int32? {
    var buffer = [UInt8](repeating: 0, count: 64)
    let got = pread(fd, &buffer, buffer.count, 0)
    guard got > 0 else { return nil }
    return Int32(String(decoding: buffer[..<got].prefix { $0 != 0x20 }, as: UTF8.self))
  }
}
