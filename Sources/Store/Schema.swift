import GRDB

/// What the database looks like, and the steps by which an older one gets there.
struct Schema: Sendable {
  struct Migration: Sendable {
    let name: String
    let sql: String

    init(_ name: String, _ sql: String) {
      self.name = name
      self.sql = sql
    }
  }

  /// `PENS` in ASCII, kept in the header of the file, so that file(1) and we know it for ours.
  static let applicationID = 0x5045_4E53

  /// Append-only: one file per migration, never edited after it was released.
  static let current = Schema(migrations: [
    Migration("0001", migration0001), Migration("0002-lineage", migration0002Lineage),
    Migration("0003-acknowledged", migrationAcknowledged),
    Migration("0004-engine", migration0004Engine),
    Migration("0005-reuse", migration0005Reuse),
    Migration("0006-items", migration0006Items),
    Migration("0007-hooks", migration0007Hooks),
    Migration("0008-schedule", migration0008Schedule),
    Migration("0009-policies", migration0009Policies),
    Migration("0010-trials", migration0010Trials),
  ])

  /// The oldest first.
  var migrations: [Migration]

  /// The names of the migrations that a database has; the table is GRDB's of old.
  static let applied = "SELECT identifier FROM grdb_migrations"

  /// What is missing of a database that has `applied`.
  func pending(after applied: Set<String>) -> [Migration] { migrations.filter { !applied.contains($0.name) } }

  /// Refuses a database that is not ours or that a newer version wrote.
  func check(applicationID: Int, applied: Set<String>, path: String) throws {
    guard applicationID == Self.applicationID else {
      let detail = applicationID == 0 ? "it is empty or of another program" : "it belongs to another program"
      throw StoreError.corrupt(path: path, detail: detail)
    }
    if let unknown = applied.subtracting(migrations.map(\.name)).max() {
      throw StoreError.newer(path: path, migration: unknown)
    }
  }

  /// Applies what is missing, all of it or nothing, in one transaction.
  func migrate(_ queue: DatabaseQueue) throws {
    try queue.writeWithoutTransaction { database in
      try database.execute(sql: "CREATE TABLE IF NOT EXISTS grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY)")
      let pending = pending(after: try Set(String.fetchAll(database, sql: Self.applied)))
      if pending.isEmpty { return }
      // a table that is made anew under its old name must not take the rows that point to it along
      try database.execute(sql: "PRAGMA foreign_keys = OFF")
      defer { try? database.execute(sql: "PRAGMA foreign_keys = ON") }
      try database.inTransaction(.immediate) {
        for migration in pending {
          try database.execute(sql: migration.sql)
          try database.execute(sql: "INSERT INTO grdb_migrations VALUES (?)", arguments: [migration.name])
        }
        try database.checkForeignKeys()
        return .commit
      }
    }
  }
}
