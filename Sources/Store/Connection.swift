import GRDB

/// How SQLite is opened, for the one connection that writes and for those that read.
enum Connection {
  /// Hears every statement before it runs; for tests.
  typealias Trace = @Sendable (String) -> Void

  /// Opens an existing database for writing; `synchronous` is FULL on return.
  static func writing(_ path: String, trace: Trace? = nil) throws -> DatabaseQueue {
    var configuration = base(trace) { try Schema.checkIdentity($0, path: path) }
    configuration.journalMode = .wal
    let queue = try DatabaseQueue(path: path, configuration: configuration)
    // GRDB sets NORMAL when it turns WAL on, after its own preparation.
    try queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
    return queue
  }

  /// Opens an existing database for reading, whether an agent runs or not.
  static func reading(_ path: String, trace: Trace? = nil) throws -> DatabaseQueue {
    var configuration = base(trace) { database in
      try Schema.checkIdentity(database, path: path)
      guard try Schema.migrator.hasCompletedMigrations(database) else { throw StoreError.older(path: path) }
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

  private static func mark(_ database: Database) throws {
    try database.execute(sql: "PRAGMA application_id = \(Schema.applicationID)")
  }

  private static func base(
    _ trace: Trace?, prepare: @escaping @Sendable (Database) throws -> Void
  ) -> Configuration {
    var configuration = Configuration()
    configuration.label = "penstock.state"
    configuration.busyMode = .timeout(5)
    configuration.foreignKeysEnabled = true
    configuration.prepareDatabase { database in
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
