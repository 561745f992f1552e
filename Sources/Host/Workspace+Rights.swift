import Core
import Glibc

extension Workspace {
  /// Whose directory it is, in words, where this user may not even see whether it is a workspace.
  var foreignHome: String? {
    var status = stat()
    guard stat(home, &status) == 0, faccessat(AT_FDCWD, settings, F_OK, AT_EACCESS) < 0, errno == EACCES else {
      return nil
    }
    return Self.belonging(home, to: status.st_uid)
  }

  /// Whose state it is, in words, where this user may not look at it; `nil` where it may, or there is none.
  ///
  /// Asked before the state is: to SQLite and to connect(2) it looks like a disk or an agent that does not work.
  package var foreignState: String? {
    for (path, wish) in [(state, R_OK | X_OK), (database, R_OK), (socket, W_OK)] {
      var status = stat()
      guard stat(path, &status) == 0, status.st_uid != geteuid() else { continue }
      // by the effective user, as open(2) asks
      if faccessat(AT_FDCWD, path, wish, AT_EACCESS) < 0, errno == EACCES {
        return Self.belonging(path, to: status.st_uid)
      }
    }
    return nil
  }

  /// - Throws: `HostError` where the state may not be looked at by this user.
  package func requireOwnState() throws {
    if let foreignState { throw HostError(foreignState, code: EACCES) }
  }

  static func belonging(_ path: String, to owner: UInt32) -> String {
    let name = UserName.of(owner)
    return "`\(Display.escaped(path))` belongs to user \(name), and this is user \(UserName.of(geteuid())): run as its "
      + "owner (`sudo -u \(name) penstock …`, or as root `runuser -u \(name) -- penstock …`)"
  }
}
