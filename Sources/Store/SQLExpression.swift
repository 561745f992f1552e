package import Core
import Foundation
import GRDBSQLite

/// An SQL expression that a person wrote, evaluated by SQLite on one row and nothing else.
///
/// It lives in a database of its own in memory, under an authorizer (https://www.sqlite.org/c3ref/set_authorizer.html)
/// that lets it read that row and call functions; what runs too long is ended.
struct SQLExpression {
  let text: String
  let columns: [String]

  enum Value {
    case null
    case integer(Int)
    case real(Double)
    case text(String)
  }

  /// Seconds after which an evaluation is ended, looked at every so many instructions of SQLite's machine.
  private static let patience = 1.0
  private static let stride: Int32 = 1000
  /// Bytes of any value: a context is no larger than the replies it comes from.
  private static let mostBytes: Int32 = 8 << 20

  /// Evaluates it as a condition: NULL does not hold.
  /// - Parameter values: one for each column; `nil` only looks whether it is well formed.
  func holds(on values: [Value]?) throws(Condition.Malformed) -> Bool {
    var handle: OpaquePointer?
    guard sqlite3_open_v2(":memory:", &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nil) == SQLITE_OK else {
      sqlite3_close_v2(handle)
      throw Condition.Malformed(reason: "out of memory", offset: nil)
    }
    defer { sqlite3_close_v2(handle) }
    sqlite3_set_authorizer(handle, { _, action, _, name, _, _ in Self.verdict(action, name) }, nil)
    sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, Self.mostBytes)
    let end = UnsafeMutablePointer<Double>.allocate(capacity: 1)
    end.initialize(to: ProcessInfo.processInfo.systemUptime + Self.patience)
    defer { end.deallocate() }
    sqlite3_progress_handler(
      handle, Self.stride,
      { end in
        let end = end?.load(as: Double.self) ?? 0
        return ProcessInfo.processInfo.systemUptime < end ? 0 : 1
      }, end)
    // nothing that goes over many rows may stand after WHERE; the line break ends a comment
    let statement = try prepare(fact(columns.indices.map { "?\($0 + 1)" }) + "1 FROM fact WHERE (", "\n)", handle)
    defer { sqlite3_finalize(statement) }
    try mustBeWhole(handle)
    guard let values else { return false }
    for (index, value) in values.enumerated() { bind(value, at: Int32(index) + 1, statement) }
    switch sqlite3_step(statement) {
    case SQLITE_ROW: return true
    case SQLITE_DONE: return false
    case SQLITE_INTERRUPT: throw Condition.Malformed(reason: "took too long to evaluate", offset: nil)
    default: throw malformed(handle, after: 0)
    }
  }

  /// Prepares a statement in which it stands between words of ours.
  private func prepare(
    _ before: String, _ after: String, _ handle: OpaquePointer?
  ) throws(Condition.Malformed) -> OpaquePointer? {
    if text.utf8.contains(0) { throw Condition.Malformed(reason: "contains a NUL", offset: nil) }
    if text.utf8.allSatisfy({ $0 == 0x20 || (0x09...0x0D).contains($0) }) {
      throw Condition.Malformed(reason: "expected a condition, got nothing", offset: 0)
    }
    let (sql, start) = (before + text + after, before.utf8.count)
    var statement: OpaquePointer?
    var count = 0
    let code = sql.withCString { first in
      var tail: UnsafePointer<CChar>?
      let code = sqlite3_prepare_v2(handle, first, -1, &statement, &tail)
      count = tail.map { $0 - first } ?? 0
      return code
    }
    guard code == SQLITE_OK else { throw malformed(handle, after: start) }
    guard count == sql.utf8.count else {
      sqlite3_finalize(statement)
      throw Condition.Malformed(reason: "expected one expression", offset: max(0, count - start))
    }
    return statement
  }

  /// The beginning of a statement that sees one row.
  private func fact(_ values: [String]) -> String {
    "WITH fact(\(columns.joined(separator: ", "))) AS (SELECT \(values.joined(separator: ", "))) SELECT "
  }

  /// Refuses what is an expression only between parentheses, for it closes ours and opens another, and what asks for
  /// values.
  private func mustBeWhole(_ handle: OpaquePointer?) throws(Condition.Malformed) {
    let statement = try prepare(fact(columns.map { _ in "NULL" }), "\nFROM fact", handle)
    defer { sqlite3_finalize(statement) }
    if sqlite3_bind_parameter_count(statement) == 0 { return }
    let names = (1...sqlite3_bind_parameter_count(statement)).compactMap { sqlite3_bind_parameter_name(statement, $0) }
    let name = names.first.map { String(cString: $0) } ?? "?"
    throw Condition.Malformed(reason: "nobody fills in `\(Display.brief(name))`", offset: nil)
  }

  private func malformed(_ handle: OpaquePointer?, after start: Int) -> Condition.Malformed {
    let (said, offset) = (String(cString: sqlite3_errmsg(handle)), Int(sqlite3_error_offset(handle)) - start)
    // what stands there is ours
    if offset >= text.utf8.count || said == "incomplete input" {
      return Condition.Malformed(reason: "it ends too early", offset: text.utf8.count)
    }
    return Condition.Malformed(reason: Self.words(said), offset: offset >= 0 ? offset : nil)
  }

  /// SQLite's own, but where they speak of what only its authors know.
  private static func words(_ said: String) -> String {
    func rest(_ beginnings: String...) -> Substring? {
      beginnings.first { said.hasPrefix($0) }.map { said.dropFirst($0.count) }
    }
    if let name = rest("misuse of aggregate: ", "misuse of aggregate function ", "misuse of window function ") {
      return "`\(name)` goes over many rows, and a condition sees one"
    }
    if let near = rest("near \""), let end = near.range(of: "\": ") {
      return "near `\(near[..<end.lowerBound])`: \(near[end.upperBound...])"
    }
    if let token = rest("unrecognized token: \""), let mark = token.first, "'\"`[".contains(mark) {
      return "what is quoted by `\(mark)` does not end"
    }
    if let name = rest("vtable constructor failed: ", "not authorized to use function: ") {
      return "`\(name)` cannot be used in a condition"
    }
    return said == "row value misused" ? "expected one condition, got a list" : said
  }

  private func bind(_ value: Value, at place: Int32, _ statement: OpaquePointer?) {
    switch value {
    case .null: sqlite3_bind_null(statement, place)
    case .integer(let number): sqlite3_bind_int64(statement, place, Int64(number))
    case .real(let number): sqlite3_bind_double(statement, place, number)
    case .text(let text):
      // SQLITE_TRANSIENT, which Swift does not see: SQLite copies the text
      let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
      sqlite3_bind_text(statement, place, text, Int32(text.utf8.count), copied)
    }
  }

  private static func verdict(_ action: Int32, _ name: UnsafePointer<CChar>?) -> Int32 {
    switch action {
    case SQLITE_SELECT, SQLITE_READ: SQLITE_OK
    case SQLITE_FUNCTION: name.map { String(cString: $0) } == "load_extension" ? SQLITE_DENY : SQLITE_OK
    default: SQLITE_DENY
    }
  }
}

extension Condition {
  /// What is wrong with a condition; `nil` where nothing is.
  package static func problem(in text: String) -> Malformed? {
    do {
      _ = try SQLExpression(text: text, columns: columns).holds(on: nil)
      return nil
    } catch { return error }
  }

  /// Whether it holds; what is not known is NULL, and NULL does not hold.
  package static func holds(_ text: String, on row: Row) throws(Malformed) -> Bool {
    try SQLExpression(text: text, columns: columns).holds(on: row.values)
  }
}

extension Rule {
  /// What is wrong with the condition of a rule; `nil` where nothing is.
  package static func problem(in text: String) -> Condition.Malformed? {
    do {
      _ = try SQLExpression(text: text, columns: columns).holds(on: nil)
      return nil
    } catch { return error }
  }

  /// Whether it holds; what is not known is NULL, and NULL does not hold.
  package static func holds(_ text: String, on row: Row) throws(Condition.Malformed) -> Bool {
    try SQLExpression(text: text, columns: columns).holds(
      on: row.condition.values + row.facts.values.map(SQLExpression.Value.scalar))
  }
}

extension Condition.Row {
  /// In the order of `Condition.columns`.
  fileprivate var values: [SQLExpression.Value] {
    [
      .text(pipeline), .text(trigger), name.map { .text($0) } ?? .null, bytes.map { .integer($0) } ?? .null,
      .json(captures), .json(context), .json(metrics), .json(data), .json(states),
    ]
  }
}

extension SQLExpression.Value {
  fileprivate static func scalar(_ json: JSON) -> Self {
    switch json {
    case .integer(let number): .integer(number)
    case .number(let number): .real(number)
    case .string(let text): .text(text)
    default: .null
    }
  }

  fileprivate static func json(_ json: JSON) -> Self {
    (try? json.line()).map { .text($0) } ?? .text("{}")
  }
}
