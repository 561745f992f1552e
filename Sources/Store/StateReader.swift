import Core
import GRDB
import GRDBSQLite

/// What is remembered, for whoever only reads: it works with an agent at work and without one.
///
/// Each method is one short transaction on one state of the database.
/// - Throws: `StoreError`, from every method; `CancellationError` where the task is cancelled.
package final class StateReader: Sendable {
  private let queue: DatabaseQueue
  private let path: String
  /// Seconds a transaction may take; `nil` for the agent's own, which must not be stopped.
  private let limit: Int?

  /// Opens the state of a workspace.
  /// - Throws: `StoreError.missing` where no agent ever worked here, `.gone`, `.newer`, `.older`, `.corrupt`.
  package convenience init(path: String) throws { try self.init(path: path, trace: nil) }

  convenience init(
    path: String, schema: Schema = .current, trace: Connection.Trace? = nil, limit: Int? = 2
  ) throws {
    do {
      let file = StateFile(path: path)
      guard let status = try file.status() else {
        try file.requireNew()
        throw StoreError.missing(path: path)
      }
      try file.requireRegular(status)
      self.init(queue: try Connection.reading(path, schema: schema, trace: trace), path: path, limit: limit)
    } catch {
      throw StoreError.wording(error, path: path)
    }
  }

  init(queue: DatabaseQueue, path: String, limit: Int? = nil) {
    self.queue = queue
    self.path = path
    self.limit = limit
  }

  func close() throws { try queue.close() }

  func read<Value: Sendable>(_ body: @Sendable (Database) throws -> Value) async throws -> Value {
    try Task.checkCancellation()
    return try readHere(body)
  }

  /// On the caller's thread: reads are short, and a queue's thread would wake libdispatch for good.
  private func readHere<Value>(_ body: (Database) throws -> Value) throws -> Value {
    do {
      guard let limit else { return try queue.read(body) }
      return try queue.read { database in
        try ReadingTime(seconds: limit).watch(database) { try body(database) }
      }
    } catch DatabaseError.SQLITE_INTERRUPT where limit != nil {
      throw StoreError.slow(path: path, seconds: limit ?? 0)
    } catch {
      throw StoreError.wording(error, path: path)
    }
  }
}

/// Stops a statement of a transaction that lasts too long: while one reads, the write-ahead log only grows.
private final class ReadingTime {
  /// Steps of SQLite's machine between two looks at the clock, a fraction of a millisecond.
  private static let steps: Int32 = 10_000
  private let end: ContinuousClock.Instant

  init(seconds: Int) { end = .now + .seconds(seconds) }

  func watch<Value>(_ database: Database, _ body: () throws -> Value) rethrows -> Value {
    let connection = database.sqliteConnection
    sqlite3_progress_handler(
      connection, Self.steps,
      { pointer in
        guard let pointer else { return 0 }
        return Unmanaged<ReadingTime>.fromOpaque(pointer).takeUnretainedValue().end < .now ? 1 : 0
      }, Unmanaged.passUnretained(self).toOpaque())
    defer { sqlite3_progress_handler(connection, 0, nil, nil) }
    return try withExtendedLifetime(self) { try body() }
  }
}

extension Database {
  func runs(_ sql: String, _ arguments: StatementArguments = []) throws -> [Run] {
    try Row.fetchAll(cachedStatement(sql: sql), arguments: arguments).map(Run.init(row:))
  }

  func attempts(_ sql: String, _ arguments: StatementArguments = []) throws -> [Attempt] {
    try Row.fetchAll(cachedStatement(sql: sql), arguments: arguments).map(Attempt.init(row:))
  }
}
