import GRDB
import GRDBSQLite

/// How SQLite is opened, for the one connection that writes and for those that read.
enum Connection {
  /// Hears every statement before it runs; for tests.
  typealias Trace = @Sendable (String) -> Void

  /// Milliseconds a statement waits for a lock that another program holds.
  private static let patience: Int32 = 5000

  /// Opens an existing database for writing; `synchronous` is FULL on return.
  static func writing(_ path: String, schema: Schema, trace: Trace? = nil) throws -> DatabaseQueue {
    var configuration = base(trace) { try check($0, schema, path: path) }
    configuration.journalMode = .wal
    let queue = try DatabaseQueue(path: path, configuration: configuration)
    // GRDB sets NORMAL when it turns WAL on, after its own preparation.
    try queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
    return queue
  }

  /// Opens an existing database for reading, whether an agent runs or not.
  static func reading(_ path: String, schema: Schema, trace: Trace? = nil) throws -> DatabaseQueue {
    var configuration = base(trace) { database in
      let applied = try check(database, schema, path: path)
      guard schema.pending(after: applied).isEmpty else { throw StoreError.older(path: path) }
      try database.execute(sql: "PRAGMA query_only = ON")
    }
    configuration.readonly = true
    return try DatabaseQueue(path: path, configuration: configuration)
  }

  /// Opens an empty file that will become a database.
  static func creating(_ path: String) throws -> DatabaseQueue {
    try DatabaseQueue(path: path, configuration: base(nil) { try mark($0) })
  }

  static func inMemory(trace: Trace? = nil) throws -> DatabaseQueue {
    try DatabaseQueue(configuration: base(trace) { try mark($0) })
  }

  /// Does something while locks are hardly waited for.
  static func impatiently<Value>(_ database: Database, _ body: () throws -> Value) rethrows -> Value {
    sqlite3_busy_timeout(database.sqliteConnection, 100)
    defer { sqlite3_busy_timeout(database.sqliteConnection, patience) }
    return try body()
  }

  @discardableResult
  private static func check(_ database: Database, _ schema: Schema, path: String) throws -> Set<String> {
    let identity = try Int.fetchOne(database, sql: "PRAGMA application_id") ?? 0
    let isMigrated = try database.tableExists("grdb_migrations")
    let applied = isMigrated ? Set(try String.fetchAll(database, sql: Schema.applied)) : []
    try schema.check(applicationID: identity, applied: applied, path: path)
    return applied
  }

  private static func mark(_ database: Database) throws {
    try database.execute(sql: "PRAGMA application_id = \(Schema.applicationID)")
  }

  private static func base(
    _ trace: Trace?, prepare: @escaping @Sendable (Database) throws -> Void
  ) -> Configuration {
    var configuration = Configuration()
    configuration.label = "penstock.state"
    configuration.busyMode = .timeout(Double(patience) / 1000)
    configuration.foreignKeysEnabled = true
    configuration.prepareDatabase { database in
      keepLog(database.sqliteConnection)
      try database.execute(
        sql: """
          PRAGMA trusted_schema = OFF;
          PRAGMA mmap_size = 0;
          PRAGMA cell_size_check = ON;
          PRAGMA temp_store = MEMORY;
          PRAGMA journal_size_limit = 67108864;
          """)
      try prepare(database)
      if let trace {
        database.trace { event in
          if case .statement(let statement) = event { trace(statement.sql) }
        }
      }
    }
    return configuration
  }
}
