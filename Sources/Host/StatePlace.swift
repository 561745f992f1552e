import Core

/// Whether the state may lie where it lies.
package enum StatePlace {
  /// Refuses a filesystem that other machines share: SQLite's log needs memory that all its users see, and a lock
  /// of flock(2) may not reach the other machine, sqlite.org/wal.html.
  /// - Throws: `HostError`.
  package static func check(_ path: String) throws {
    guard let filesystem = Health.disk(of: path)?.kind, refuses(filesystem) else { return }
    throw HostError(
      "`\(Display.escaped(path))` lies on \(filesystem.name), which other machines share: the state needs a local disk; "
        + "put the workspace on one (the inbox alone may be a link to a shared directory)")
  }

  /// FUSE may be anything, also a local disk.
  static func refuses(_ filesystem: Filesystem) -> Bool {
    filesystem.isRemote && filesystem.name != "fuse" && filesystem.name != "autofs"
  }
}
