import GRDB
import GRDBSQLite

/// A connection by SQLite's own interface that only reads, for a look or a copy that is soon over.
///
/// One of GRDB's would wake libdispatch's pool when it goes, whose monitor then wakes once a second for ever.
final class BriefConnection {
  private let handle: OpaquePointer
  private let path: String

  /// - Throws: `StoreError` where the file is not there or cannot be read.
  convenience init(path: String) throws { try self.init(path: path, flags: SQLITE_OPEN_READONLY) }

  /// Lets SQLite undo what a crash left half done in a database that has no write-ahead log yet, as one just restored
  /// from a backup: whoever only reads is refused until then.
  static func rollBack(_ path: String) throws {
    guard (StateFile(path: path + "-journal").size() ?? 0) > 0 else { return }
    _ = try BriefConnection(path: path, flags: SQLITE_OPEN_READWRITE).rows("SELECT count(*) FROM sqlite_schema")
  }

  private init(path: String, flags: Int32) throws {
    var handle: OpaquePointer?
    let code = sqlite3_open_v2(path, &handle, flags, nil)
    guard code == SQLITE_OK, let handle else {
      sqlite3_close_v2(handle)
      throw StoreError.wording(DatabaseError(resultCode: ResultCode(rawValue: code)), path: path)
    }
    sqlite3_extended_result_codes(handle, 1)
    sqlite3_busy_timeout(handle, 5000)
    keepLog(handle)
    self.handle = handle
    self.path = path
    _ = try rows("PRAGMA trusted_schema = OFF")
    _ = try rows("PRAGMA mmap_size = 0")
    _ = try rows("PRAGMA cell_size_check = ON")
  }

  deinit { sqlite3_close_v2(handle) }

  /// Runs one statement; every value of every row as text.
  func rows(_ sql: String, _ arguments: [String] = []) throws -> [[String?]] {
    var statement: OpaquePointer?
    try check(sqlite3_prepare_v2(handle, sql, -1, &statement, nil))
    defer { sqlite3_finalize(statement) }
    for (place, text) in arguments.enumerated() {
      let count = Int32(text.utf8.count)
      // SQLITE_TRANSIENT, which Swift does not see: SQLite copies the text
      let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
      try check(sqlite3_bind_text(statement, Int32(place) + 1, text, count, copied))
    }
    var rows: [[String?]] = []
    while true {
      let code = sqlite3_step(statement)
      if code == SQLITE_DONE { return rows }
      guard code == SQLITE_ROW else { throw failure(code) }
      rows.append(
        (0..<sqlite3_column_count(statement)).map { column in
          sqlite3_column_text(statement, column).map { String(cString: $0) }
        })
    }
  }

  private func check(_ code: Int32) throws { if code != SQLITE_OK { throw failure(code) } }

  private func failure(_ code: Int32) -> any Error {
    let words = String(cString: sqlite3_errmsg(handle))
    return StoreError.wording(DatabaseError(resultCode: ResultCode(rawValue: code), message: words), path: path)
  }
}

/// Lets the write-ahead log and its index stay, empty, when the last one closes the database: someone who may only
/// read cannot make them.
func keepLog(_ connection: OpaquePointer?) {
  var yes: Int32 = 1
  sqlite3_file_control(connection, "main", SQLITE_FCNTL_PERSIST_WAL, &yes)
}
