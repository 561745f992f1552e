import Core
import Foundation
import GRDB

extension Date {
  /// Since 1970 UTC, rounded: what the database keeps of a moment.
  var milliseconds: Int { Int((timeIntervalSince1970 * 1000).rounded()) }

  init(milliseconds: Int) { self.init(timeIntervalSince1970: Double(milliseconds) / 1000) }
}

extension String {
  /// The text as SQLite keeps it: a NUL would cut it short, so its picture stands in.
  var storable: String { utf8.contains(0) ? replacingOccurrences(of: "\0", with: "\u{2400}") : self }
}

extension Encodable {
  /// JSON with sorted keys: the same value always gives the same text.
  func text() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }
}

extension [String: JSON] {
  /// The same, by the writer every boundary needs.
  func text() throws -> String { isEmpty ? "{}" : try JSON.object(self).line() }
}

extension Row {
  /// A value that is there and of this type; GRDB's own subscript would trap on one that is not.
  func value<Value: DatabaseValueConvertible>(_ column: String) throws -> Value {
    guard let stored = self[column] as DatabaseValue?, let value = Value.fromDatabaseValue(stored) else {
      throw StoreError.conflict("the state has nothing usable in `\(column)`")
    }
    return value
  }

  func date(_ column: String) -> Date? { (self[column] as Int?).map(Date.init(milliseconds:)) }

  func requiredDate(_ column: String) throws -> Date { Date(milliseconds: try value(column)) }

  /// One of the words of an enum.
  func word<Word: RawRepresentable<String>>(_ column: String) throws -> Word {
    let text: String = try value(column)
    guard let word = Word(rawValue: text) else {
      throw StoreError.conflict("the state has the unknown word `\(Display.escaped(text))` in `\(column)`")
    }
    return word
  }

  func json<Value: Decodable>(_ column: String) throws -> Value {
    let text: String = try value(column)
    return try JSONDecoder().decode(Value.self, from: Data(text.utf8))
  }

  /// `nil` where nothing is kept.
  func jsonIfAny<Value: Decodable>(_ column: String) throws -> Value? {
    guard let text: String = self[column] else { return nil }
    return try JSONDecoder().decode(Value.self, from: Data(text.utf8))
  }

  func runID(_ column: String) throws -> RunID {
    let text: String = try value(column)
    guard let id = RunID(text) else {
      throw StoreError.conflict("the state has `\(Display.escaped(text))` as a run id in `\(column)`")
    }
    return id
  }

  /// How a program ended, from the three columns of which at most one is set.
  func termination() -> Termination? {
    if let code: Int32 = self["exit"] { return .exited(code) }
    if let signal: Int32 = self["signal"] { return .signaled(signal) }
    if let why: String = self["unstarted"] { return .unstarted(why) }
    return nil
  }

  func usage() -> ResourceUsage? {
    guard let wall: Double = self["wall_s"], let cpu: Double = self["cpu_s"] else { return nil }
    return ResourceUsage(wall: wall, cpu: cpu, peakRSS: self["rss_bytes"])
  }
}

extension Termination {
  var exit: Int32? { if case .exited(let code) = self { code } else { nil } }
  var signal: Int32? { if case .signaled(let signal) = self { signal } else { nil } }
  var unstarted: String? { if case .unstarted(let why) = self { why.storable } else { nil } }
}

extension Database {
  /// Runs one statement, prepared once for the life of the connection.
  func run(_ sql: String, _ arguments: [(any DatabaseValueConvertible)?]) throws {
    try cachedStatement(sql: sql).execute(arguments: StatementArguments(arguments))
  }
}
