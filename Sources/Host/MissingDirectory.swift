package import Core
import Glibc

/// A directory that is not there, as an inbox whose disk is not mounted.
package enum MissingDirectory {
  /// Where the link at this path leads, where that is not there; `nil` where there is no such link.
  package static func target(of path: String) -> String? {
    access(path, F_OK) == 0 ? nil : Link.target(of: path)?.displayed
  }

  /// What is wrong with the path, and what to do; `nil` where something is there.
  package static func trouble(at path: String) -> HostError? {
    guard access(path, F_OK) < 0, errno == ENOENT else { return nil }
    let shown = Display.escaped(path)
    let words =
      target(of: path).map { "`\(shown)` is a link to `\($0)`, which is not there: make or mount that directory" }
      ?? "there is no directory `\(shown)`: move back or mount what belongs there, or make an empty one by mkdir"
    return HostError(words, code: ENOENT)
  }
}
