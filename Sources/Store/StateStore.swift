import GRDB

/// What is remembered: the one place that writes it.
///
/// Every method is one intention and one transaction, durable when it returns; concurrent ones share a commit.
/// - Throws: `StoreError`, from every method.
package final class StateStore: Sendable {
  /// Reads what was committed; it never waits for a commit.
  package let reader: StateReader
  private let queue: DatabaseQueue
  private let changes: GroupCommit
  private let path: String
  /// Device and inode of the file at opening; `nil` in memory.
  private let identity: [UInt64]?

  /// Opens `path`, made where it is missing, and brings an older schema up to date.
  /// - Parameter patience: how long a change waits while another program holds the lock or the disk is full, before
  ///   it is refused.
  package convenience init(path: String, patience: Duration = .zero) throws {
    try self.init(path: path, trace: nil, patience: patience)
  }

  /// The same in memory, for tests; nothing outlives it.
  package static func inMemory() throws -> StateStore { try inMemory(trace: nil) }

  static func inMemory(trace: Connection.Trace?) throws -> StateStore {
    let queue = try Connection.inMemory(trace: trace)
    try Schema.migrator.migrate(queue)
    return StateStore(queue: queue, reader: StateReader(queue: queue, path: ":memory:"), path: ":memory:")
  }

  init(path: String, trace: Connection.Trace?, patience: Duration = .zero) throws {
    self.path = path
    do {
      try StateFile(path: path).prepare()
      queue = try Connection.writing(path, trace: trace)
      try Schema.migrator.migrate(queue)
      reader = try StateReader(path: path, trace: trace)
      identity = try StateFile(path: path).identity()
    } catch {
      throw StoreError.wording(error, path: path)
    }
    changes = GroupCommit(queue: queue, path: path, patience: patience)
  }

  private init(queue: DatabaseQueue, reader: StateReader, path: String) {
    self.queue = queue
    self.reader = reader
    self.path = path
    identity = nil
    changes = GroupCommit(queue: queue, path: path)
  }

  /// Changes that wait for the next commit.
  var gathered: Int { changes.gathered }

  /// Transactions committed since it was opened.
  package var commits: Int { changes.commits }

  /// Lets go of the file; where nobody else reads it, SQLite empties and removes the write-ahead log.
  package func close() throws {
    do {
      try reader.close()
      try queue.close()
    } catch {
      throw StoreError.wording(error, path: path)
    }
  }

  /// Moves the write-ahead log into the database, for moments when nothing else is to be done.
  ///
  /// A log over 64 MiB is also cut, which waits for readers up to 5 s.
  package func checkpoint() async throws {
    let isLong = (StateFile(path: path + "-wal").size() ?? 0) > 64 << 20
    do {
      try await queue.writeWithoutTransaction { _ = try $0.checkpoint(isLong ? .truncate : .passive) }
    } catch {
      throw StoreError.wording(error, path: path)
    }
  }

  /// Refuses to go on where the file was removed or replaced under us.
  package func checkInPlace() throws {
    guard let identity, try StateFile(path: path).identity() != identity else { return }
    throw StoreError.unsafeFile(path: path, detail: "it was removed or replaced while the agent was using it")
  }

  /// Looks at every page; worth its time (1.5 s for 300 MB) after a sudden end.
  package func checkPages() async throws {
    let complaints = try await reader.read { database in
      try String.fetchAll(database, sql: "PRAGMA quick_check(5)").filter { $0 != "ok" }
    }
    guard complaints.isEmpty else {
      throw StoreError.corrupt(path: path, detail: complaints.joined(separator: "; "))
    }
  }

  func perform<Value: Sendable>(
    _ change: @escaping @Sendable (Database) throws -> Value
  ) async throws -> Value {
    try checkInPlace()
    return try await changes.perform(change)
  }

  /// Reads through the connection that writes; for tests of its settings.
  func onWriter<Value>(_ body: (Database) throws -> Value) throws -> Value {
    try queue.writeWithoutTransaction(body)
  }
}
