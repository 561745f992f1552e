/// What SQLite complains of, as people can read it.
enum Damage {
  /// The complaints of `PRAGMA quick_check`, each on one line, without the headings; empty where all is well.
  static func complaints(_ found: [String]) -> [String] {
    if found == ["ok"] { return [] }
    return found.flatMap { $0.split(whereSeparator: \.isNewline).map(String.init) }.filter { !$0.hasPrefix("***") }
  }
}
