import Core
import GRDB

/// What is remembered, for whoever only reads: it works with an agent at work and without one.
///
/// Each method is one short transaction on one state of the database.
/// - Throws: `StoreError`, from every method; `CancellationError` where the task is cancelled.
package final class StateReader: Sendable {
  private let queue: DatabaseQueue
  private let path: String

  /// Opens the state of a workspace.
  /// - Throws: `StoreError.missing` where no agent ever worked here, `.newer`, `.older`, `.corrupt`.
  package convenience init(path: String) throws { try self.init(path: path, trace: nil) }

  convenience init(path: String, trace: Connection.Trace?) throws {
    do {
      let file = StateFile(path: path)
      guard let status = try file.status() else { throw StoreError.missing(path: path) }
      try file.requireRegular(status)
      self.init(queue: try Connection.reading(path, trace: trace), path: path)
    } catch {
      throw StoreError.wording(error, path: path)
    }
  }

  init(queue: DatabaseQueue, path: String) {
    self.queue = queue
    self.path = path
  }

  func close() throws { try queue.close() }

  func read<Value: Sendable>(_ body: @Sendable (Database) throws -> Value) async throws -> Value {
    try Task.checkCancellation()
    return try readHere(body)
  }

  /// On the caller's thread: reads are short, and a queue's thread would wake libdispatch for good.
  private func readHere<Value>(_ body: (Database) throws -> Value) throws -> Value {
    do {
      return try queue.read(body)
    } catch {
      throw StoreError.wording(error, path: path)
    }
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
