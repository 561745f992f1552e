import Core
import Glibc
import Synchronization

/// `var/done/`, `var/failed/` and `var/quarantine/` as they are now: to archive what lies in one, people move it away whole.
final class FilingPlaces: Sendable {
  private struct State {
    var opened: [Filing.Destination: Directory]
    /// A name was made that the disk may not have yet.
    var isUnsynced = false
  }

  private let root: Directory
  private let state: Mutex<State>

  /// Opens them and makes what is missing.
  init(below root: Directory) throws {
    self.root = root
    var opened: [Filing.Destination: Directory] = [:]
    for destination in Filing.Destination.allCases { opened[destination] = try Self.open(destination, below: root) }
    state = Mutex(State(opened: opened))
  }

  func path(of destination: Filing.Destination) -> String { root.path + "/" + destination.rawValue }

  /// The directory that has the name now, made where there is none.
  /// - Throws: `HostError` where something else has the name.
  func directory(_ destination: Filing.Destination) throws -> Directory {
    let known = state.withLock { $0.opened[destination] }
    if let known, known.isNamed(destination.rawValue, in: root) { return known }
    let directory = try Self.open(destination, below: root)
    state.withLock { state in
      state.opened[destination] = directory
      state.isUnsynced = true
    }
    return directory
  }

  /// Makes the names of directories that were made anew survive a power cut.
  func sync() throws {
    guard state.withLock({ $0.isUnsynced }) else { return }
    try root.sync()
    state.withLock { $0.isUnsynced = false }
  }

  private static func open(_ destination: Filing.Destination, below root: Directory) throws -> Directory {
    do { return try root.directory(destination.rawValue, making: true) } catch let trouble as HostError
      where [ENOTDIR, ELOOP].contains(trouble.code)
    {
      throw HostError(
        "`var/\(destination.rawValue)` is no directory, and no link is followed there: move it away, and it is made anew",
        code: trouble.code)
    }
  }
}

extension Directory {
  /// Whether it has this name in `parent`.
  fileprivate func isNamed(_ name: String, in parent: Directory) -> Bool {
    var (own, named) = (stat(), stat())
    guard fstat(fd, &own) == 0, fstatat(parent.fd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 else { return false }
    return own.st_dev == named.st_dev && own.st_ino == named.st_ino
  }
}
