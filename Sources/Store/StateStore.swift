import Foundation
import GRDB

/// What is remembered: the one place that writes it.
///
/// Every method is one intention and one transaction, durable when it returns; concurrent ones share a commit.
/// - Throws: `StoreError`, from every method.
package final class StateStore: Sendable {
  /// Reads what was committed; it never waits for a commit.
  package let reader: StateReader
  /// Whether its last writer died and it is too big to be examined at once: `examine` should be called soon.
  package let isUnexamined: Bool
  private let queue: DatabaseQueue
  let changes: GroupCommit
  let path: String
  /// Device and inode of each at opening; none in memory.
  private let files: [(file: StateFile, identity: [UInt64])]

  /// Opens `path`, made where there never was one, and brings an older schema up to date, with a backup before.
  ///
  /// One whose last writer died is examined first, up to 256 MiB; nothing is changed in one that is refused.
  /// - Parameter patience: how long a change waits while another program holds the lock or the disk is full, before
  ///   it is refused; `nil` as long as it takes.
  package convenience init(path: String, patience: Duration? = .zero) throws {
    try self.init(path: path, trace: nil, patience: patience)
  }

  /// The same in memory, for tests; nothing outlives it.
  package static func inMemory() throws -> StateStore { try inMemory(trace: nil) }

  static func inMemory(trace: Connection.Trace?) throws -> StateStore {
    let queue = try Connection.inMemory(trace: trace)
    try Schema.current.migrate(queue)
    return StateStore(queue: queue, reader: StateReader(queue: queue, path: ":memory:"), path: ":memory:")
  }

  init(
    path: String, schema: Schema = .current, trace: Connection.Trace? = nil, patience: Duration? = .zero,
    now: Date = Date()
  ) throws {
    self.path = path
    do {
      try StateFile(path: path).prepare(schema)
      let glance = try Glance(path, schema: schema)
      let pending = schema.pending(after: glance.applied)
      isUnexamined = glance.isUnclean && pending.isEmpty && glance.bytes > Glance.promptly
      if let last = pending.last, !glance.applied.isEmpty {
        try Backups(path: path).make(.upgrade(to: last.name), now: now, keep: Self.upgradesKept)
      } else if glance.isUnclean, !isUnexamined {
        try Glance.examine(path)
      }
      queue = try Connection.writing(path, schema: schema, trace: trace)
      try schema.migrate(queue)
      reader = try StateReader(path: path, schema: schema, trace: trace, limit: nil)
      files = try StateFile(path: path).inUse()
    } catch {
      throw StoreError.wording(error, path: path)
    }
    changes = GroupCommit(queue: queue, path: path, patience: patience)
  }

  private init(queue: DatabaseQueue, reader: StateReader, path: String) {
    self.queue = queue
    self.reader = reader
    self.path = path
    files = []
    isUnexamined = false
    changes = GroupCommit(queue: queue, path: path)
  }

  /// Changes that wait for the next commit.
  var gathered: Int { changes.gathered }

  /// Transactions committed since it was opened.
  package var commits: Int { changes.commits }

  /// Backups before an upgrade that stay.
  private static let upgradesKept = 3

  /// Lets go of the file; where nobody else reads it, SQLite empties the write-ahead log.
  package func close() throws {
    do {
      try? rescue()
      try reader.close()
      try queue.close()
    } catch {
      throw StoreError.wording(error, path: path)
    }
  }

  /// Refuses to go on where a file of the database was removed or replaced under us.
  package func checkInPlace() throws {
    for (file, identity) in files where try file.identity() != identity {
      throw StoreError.unsafeFile(path: file.path, detail: "it was removed or replaced while the agent was using it")
    }
  }

  /// The database and what SQLite keeps beside it, as far as they are there.
  package var paths: [String] { files.map(\.file.path) }

  /// Brings what stands in a log that has lost its name into the database, which has not: closing does not where another
  /// process has the database open.
  private func rescue() throws {
    guard let database = files.first, try database.file.identity() == database.identity,
      (try? checkInPlace()) == nil
    else { return }
    try queue.writeWithoutTransaction { _ = try $0.checkpoint(.passive) }
  }

  /// Looks at every page, on a connection of its own: nobody waits for it but the caller.
  /// - Throws: `StoreError.corrupt`.
  package func examine() throws { try Glance.examine(path) }

  func perform<Value: Sendable>(
    _ urgency: GroupCommit.Urgency = .now, first: @escaping @Sendable (Result<Void, any Error>) -> Void = { _ in },
    _ change: @escaping @Sendable (Database) throws -> Value
  ) async throws -> Value {
    try checkInPlace()
    return try await changes.perform(urgency, first: first, change)
  }

  /// Every row of a table as text, in the order of its key; for tests that compare two moments.
  package func dump(_ table: String) throws -> [String] {
    try onWriter { try Row.fetchAll($0, sql: "SELECT * FROM \(table) ORDER BY 1, 2, 3").map(\.description) }
  }

  /// Reads through the connection that writes; for tests of its settings.
  func onWriter<Value>(_ body: (Database) throws -> Value) throws -> Value {
    try queue.writeWithoutTransaction(body)
  }
}
