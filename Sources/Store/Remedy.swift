import Foundation

/// What a person can do about a database that is damaged or gone; it is never begun anew behind their back.
enum Remedy {
  /// - Parameter path: of the database.
  static func words(for path: String) -> String {
    let name = (path as NSString).lastPathComponent
    let aside = "move `\(name)`, `\(name)-wal` and `\(name)-shm` aside, as far as they are there"
    if let backup = Backups(path: path).newest {
      return "\(aside), then `cp -p \(backup) \(path)` restores the newest backup; what was recorded since then is "
        + "missing, the files of the drops are not"
    }
    let home = (path as NSString).deletingLastPathComponent
    return "there is no backup in `\(Backups(path: path).directory)`: put one of your own in its place (\(aside) "
      + "first), or begin anew: move `\(home)` aside whole and put the drops that lie in its `work/` back into the inbox"
  }

  /// What shows that there once was a memory: the first directory beside the database that has something in it.
  static func trace(of path: String) -> String? {
    let home = (path as NSString).deletingLastPathComponent
    return ["work", "runs", "done", "failed", "quarantine", "backups"].first { name in
      let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(home)/\(name)")) ?? []
      return !names.isEmpty
    }
  }
}
