import Core
import Foundation
import Host

/// Which records of a log are wanted.
struct LogFilter {
  var stage: String?
  var since: Date?
  var level: LogRecord.Level?

  /// The record of a line, and the line itself; `nil` where it is not wanted or no record.
  func record(_ line: [UInt8]) -> (LogRecord, line: String)? {
    guard let json = try? JSON(parsing: line), let record = LogRecord(json, date: Timestamp.date) else {
      return nil
    }
    if let stage, record.stage != stage { return nil }
    if let since, record.time < since { return nil }
    if let level, Self.rank(record.level) < Self.rank(level) { return nil }
    return (record, String(decoding: line, as: UTF8.self))
  }

  private static func rank(_ level: LogRecord.Level) -> Int {
    LogRecord.Level.allCases.firstIndex(of: level) ?? 0
  }
}

enum LogReading {
  /// The last lines a stage wrote to its log.
  static func lastOutput(of stage: String?, in path: String, limit: Int) -> [String] {
    guard let stage else { return [] }
    let filter = LogFilter(stage: stage)
    let lines = LogTail(path: path, fromEnd: 256 << 10).lines().compactMap { line -> String? in
      guard let record = filter.record(line)?.0, record.message == "output",
        record.fields["hook"]?.string == nil
      else {
        return nil
      }
      return record.fields["line"]?.string
    }
    return lines.suffix(limit)
  }
}

/// The moment a person means by `--since`.
enum Since {
  static func read(_ text: String, now: Date) throws -> Date {
    if let ago = try? Quantity.duration(text) { return now.addingTimeInterval(-(ago / .seconds(1))) }
    let today = Timestamp.text(now)
    let offset = today.suffix(6).contains(":") ? String(today.suffix(6)) : "Z"
    let joined = text.replacing(" ", with: "T")
    let day = String(today.prefix(10))
    let candidates = [
      text, joined, joined + offset, joined + ":00" + offset, joined + "T00:00:00" + offset,
      "\(day)T\(text)\(offset)", "\(day)T\(text):00\(offset)",
    ]
    guard let date = candidates.lazy.compactMap(Timestamp.date).first else {
      throw CommandFailure(
        "--since: `\(Display.brief(text))` is no time: write how long ago (`10m`, `2h`), a time of today (`02:30`), "
          + "or a date (`\(day)`, `\(day) 02:30`)")
    }
    return date
  }
}
