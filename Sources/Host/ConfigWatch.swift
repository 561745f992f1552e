import Core
import Glibc
import Synchronization

/// The directories of the configuration and those in them, by the watches of a queue that is shared with the inbox.
final class ConfigWatch: Sendable {
  private static let events = UInt32(
    IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_ATTRIB)
  private static let deepest = 8

  private let roots: [String]
  private let watches = Mutex<Set<Int32>>([])

  /// - Parameter roots: watched with the directories in them, hidden ones apart.
  init(roots: [String]) { self.roots = roots }

  /// Watches what there is now.
  /// - Returns: what the kernel said where it refused.
  func refresh(_ queue: InotifyQueue) -> SystemError? {
    var refusal: SystemError?
    for root in roots { watch(below: root, depth: 0, queue, &refusal) }
    return refusal
  }

  func has(_ watch: Int32) -> Bool { watches.withLock { $0.contains(watch) } }

  /// The watches of a queue that is gone.
  func forgetAll() { watches.withLock { $0 = [] } }

  private func watch(below path: String, depth: Int, _ queue: InotifyQueue, _ refusal: inout SystemError?) {
    guard depth < Self.deepest, let directory = try? Directory(path: path) else { return }
    do {
      let made = try queue.watch(path, for: Self.events)
      _ = watches.withLock { $0.insert(made) }
    } catch {
      refusal = error as? SystemError
      return
    }
    var inner: [String] = []
    try? directory.forEachName { name in
      guard let text = name.text, !text.hasPrefix("."), text != "src", text != "tests" else { return }
      inner.append(path + "/" + text)
    }
    for path in inner.sorted() {
      var status = stat()
      if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
        watch(below: path, depth: depth + 1, queue, &refusal)
      }
    }
  }
}
