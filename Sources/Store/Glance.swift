/// What a database says of itself before anyone writes to it, so that one that is not to be trusted stays as it is.
struct Glance {
  /// So many bytes are examined within about a second; more are not waited for at a start.
  static let promptly = 256 << 20

  let path: String
  let applied: Set<String>
  /// Whether whoever wrote last did not come to close it.
  let isUnclean: Bool
  /// Of the database alone.
  let bytes: Int

  /// - Throws: `StoreError.corrupt` for what is not ours, `.newer`.
  init(_ path: String, schema: Schema) throws {
    let file = StateFile(path: path)
    let log = StateFile(path: path + "-wal").size() ?? 0
    bytes = file.size() ?? 0
    try BriefConnection.rollBack(path)
    let connection = try BriefConnection(path: path)
    let identity = try connection.rows("PRAGMA application_id").first?.first.flatMap { $0 }.flatMap { Int($0) }
    let tables = Set(try connection.rows("SELECT name FROM sqlite_schema WHERE type = 'table'").compactMap { $0[0] })
    let isMigrated = tables.contains("grdb_migrations")
    applied = isMigrated ? Set(try connection.rows(Schema.applied).compactMap { $0[0] }) : []
    try schema.check(applicationID: identity ?? 0, applied: applied, path: path)
    let isOpen =
      tables.contains("agent") ? try !connection.rows("SELECT 1 FROM agent WHERE ended IS NULL").isEmpty : false
    isUnclean = isOpen || log > 0
    self.path = path
  }

  /// Looks at every page, and at every row's order and bounds; about 1.5 s for 300 MB that are in memory.
  /// - Throws: `StoreError.corrupt` with the first complaints.
  static func examine(_ path: String) throws {
    let found = try BriefConnection(path: path).rows("PRAGMA quick_check(5)").compactMap { $0[0] }
    guard found == ["ok"] else {
      throw StoreError.corrupt(path: path, detail: Damage.complaints(found).joined(separator: "; "))
    }
  }
}
