import GRDB

/// What the database looks like, and how an older one gets there.
enum Schema {
  /// `PENS` in ASCII, kept in the header of the file, so that file(1) and we know it for ours.
  static let applicationID = 0x5045_4E53

  /// Append-only: one file per migration, never edited after it was released.
  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("0001") { try $0.execute(sql: migration0001) }
    migrator.registerMigration("0002-lineage") { try $0.execute(sql: migration0002Lineage) }
    return migrator
  }

  /// Refuses a database that is not ours or that a newer version wrote, before anything in it is touched.
  static func checkIdentity(_ database: Database, path: String) throws {
    let identity = try Int.fetchOne(database, sql: "PRAGMA application_id")
    guard identity == applicationID else {
      let detail = identity == 0 ? "it is empty or of another program" : "it belongs to another program"
      throw StoreError.corrupt(path: path, detail: detail)
    }
    let known = Set(migrator.migrations)
    if let unknown = try migrator.appliedIdentifiers(database).subtracting(known).max() {
      throw StoreError.newer(path: path, migration: unknown)
    }
  }
}
