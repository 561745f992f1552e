import Core
import Glibc

/// One agent per inbox: flock(2) on the directory itself, for two workspaces may have come to share one.
///
/// Nobody inherits it: what is still running of an agent that died takes nothing out of the inbox.
package final class InboxLock: Sendable {
  private let fd: Int32

  /// Takes the lock; where the filesystem has none for directories, the inbox stays unlocked.
  /// - Throws: `Held` where the agent of another workspace has it; `HostError` where there is no such directory.
  package init(path: String) throws {
    let opened = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard opened >= 0 else { throw HostError.failed("open", path) }
    if flock(opened, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
      let real = realpath(path, nil)
      defer { free(real) }
      // `fd` is not set yet: else `deinit` would close it once more
      close(opened)
      throw Held(path: real.map { String(cString: $0) } ?? path)
    }
    fd = opened
  }

  deinit { close(fd) }

  package struct Held: Error, CustomStringConvertible {
    /// Of the directory, links resolved.
    package let path: String

    package var description: String {
      "an agent of another workspace takes its drops from `\(Display.escaped(path))`: an inbox belongs to one agent; "
        + "stop that one, or give this workspace an inbox of its own"
    }
  }
}
