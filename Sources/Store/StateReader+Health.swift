import GRDB

/// What SQLite says of its own file.
package struct DatabaseHealth: Sendable, Equatable {
  /// `wal`, as it should be.
  package var journal: String
  /// What `PRAGMA quick_check` found; empty where all is well.
  package var damage: [String]
  package var bytes: Int
}

extension StateReader {
  /// Examines the file; reads all of it.
  package func health() async throws -> DatabaseHealth {
    try await read { database in
      let found = try String.fetchAll(database, sql: "PRAGMA quick_check(5)")
      let pages = try Int.fetchOne(database, sql: "PRAGMA page_count") ?? 0
      let size = try Int.fetchOne(database, sql: "PRAGMA page_size") ?? 0
      return DatabaseHealth(
        journal: try String.fetchOne(database, sql: "PRAGMA journal_mode") ?? "",
        damage: Damage.complaints(found), bytes: pages * size)
    }
  }
}
