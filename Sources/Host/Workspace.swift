import Core
import Foundation
import Glibc

/// The directory the agent works in, and the names of what lies in it.
package struct Workspace: Sendable {
  /// Absolute, without a slash at its end, links resolved.
  package let home: String

  package var inbox: String { home + "/inbox" }
  package var hooks: String { home + "/hooks" }
  package var pipelines: String { home + "/pipelines" }
  package var stages: String { home + "/stages" }
  package var settings: String { home + "/etc/penstock.yaml" }
  package var state: String { home + "/var" }
  package var database: String {
    #if FAILPOINTS
      // so that the harness can cut the power of the spool's filesystem and of the database's, each alone
      if let other = ProcessInfo.processInfo.environment["PENSTOCK_FAILPOINT_DATABASE"] { return other }
    #endif
    return state + "/state.db"
  }
  package var socket: String { state + "/penstock.sock" }
  package var logs: String { state + "/logs" }

  /// Takes a directory that exists.
  package init?(at path: String) {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    home = String(cString: resolved)
  }

  /// Finds the workspace a command is about: the directory asked for, PENSTOCK_HOME, else the nearest parent of
  /// `current` that has `etc/penstock.yaml`.
  /// - Throws: `HostError` saying where was looked.
  package static func find(asked: String?, environment: [String: String], current: String) throws -> Workspace {
    for (directory, source) in [(asked, "-C"), (environment["PENSTOCK_HOME"], "PENSTOCK_HOME")] {
      guard let directory, !directory.isEmpty else { continue }
      guard let workspace = Workspace(at: directory) else {
        throw HostError("no directory `\(Display.escaped(directory))` (from \(source))")
      }
      guard workspace.isWorkspace else {
        if let foreign = workspace.foreignHome { throw HostError(foreign, code: EACCES) }
        throw HostError(
          "`\(Display.escaped(directory))` (from \(source)) is no workspace: it has no `etc/penstock.yaml`; make one with `penstock init`"
        )
      }
      return workspace
    }
    var directory = current
    while true {
      if let workspace = Workspace(at: directory), workspace.isWorkspace { return workspace }
      guard directory != "/", let slash = directory.lastIndex(of: "/") else { break }
      directory = slash == directory.startIndex ? "/" : String(directory[..<slash])
    }
    throw HostError(
      "no workspace here: neither `\(Display.escaped(current))` nor a directory above it has `etc/penstock.yaml`; "
        + "make one with `penstock init DIR`, or name one with -C DIR")
  }

  private var isWorkspace: Bool { access(settings, F_OK) == 0 }

  /// Makes `var/` where it is missing, for its owner alone, and refuses one that others could have prepared.
  ///
  /// The inbox is made only before anything was ever worked: later one that is missing was moved, or is not mounted yet,
  /// and an empty one in its place would hide that.
  package func prepareState() throws {
    if mkdir(state, 0o700) < 0, errno != EEXIST { throw HostError.failed("make", state) }
    var status = stat()
    guard lstat(state, &status) == 0 else { throw HostError.failed("look at", state) }
    guard status.st_mode & S_IFMT == S_IFDIR else { throw HostError("`\(state)` is no directory") }
    guard status.st_uid == geteuid() else {
      throw HostError(Self.belonging(state, to: status.st_uid))
    }
    if status.st_mode & 0o077 != 0, chmod(state, 0o700) < 0 { throw HostError.failed("make private", state) }
    if mkdir(logs, 0o700) < 0, errno != EEXIST { throw HostError.failed("make", logs) }
    if access(database, F_OK) == 0 { return }
    if mkdir(inbox, 0o755) < 0, errno != EEXIST { throw HostError.failed("make", inbox) }
  }
}
