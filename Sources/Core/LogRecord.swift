package import Foundation

/// One line of a log: NDJSON on disk, coloured text on a terminal.
package struct LogRecord: Sendable, Equatable {
  package enum Level: String, Sendable, Codable, CaseIterable {
    case debug
    case info
    /// A run's outcome.
    case notice
    /// Mended by itself.
    case warning
    /// A run, or part of one, is lost.
    case error
    /// The agent stops.
    case critical
  }

  package var time: Date
  package var level: Level
  /// Fixed words; what varies is in the fields.
  package var message: String
  package var run: RunID?
  package var number: Int?
  package var pipeline: String?
  package var stage: String?
  package var attempt: Int?
  package var fields: [String: JSON]

  package init(
    time: Date, level: Level, message: String, run: RunID? = nil, number: Int? = nil,
    pipeline: String? = nil, stage: String? = nil, attempt: Int? = nil, fields: [String: JSON] = [:]
  ) {
    self.time = time
    self.level = level
    self.message = message
    self.run = run
    self.number = number
    self.pipeline = pipeline
    self.stage = stage
    self.attempt = attempt
    self.fields = fields
  }

  /// The record as one JSON object; the fields stand beside the fixed keys.
  package func json(time: (Date) -> String) -> JSON {
    var members = fields
    members["time"] = .string(time(self.time))
    members["level"] = .string(level.rawValue)
    members["message"] = .string(message)
    members["run"] = run.map { .string($0.text) }
    members["number"] = number.map { .integer($0) }
    members["pipeline"] = pipeline.map { .string($0) }
    members["stage"] = stage.map { .string($0) }
    members["attempt"] = attempt.map { .integer($0) }
    return .object(members)
  }

  private static let fixed = ["time", "level", "message", "run", "number", "pipeline", "stage", "attempt"]

  /// Reads what `json` wrote; `nil` where it is no log record.
  package init?(_ json: JSON, date: (String) -> Date?) {
    guard let members = json.object, let time = members["time"]?.string.flatMap(date),
      let level = members["level"]?.string.flatMap(Level.init), let message = members["message"]?.string
    else { return nil }
    self.init(time: time, level: level, message: message)
    run = members["run"]?.string.flatMap { RunID($0) }
    if case .integer(let value) = members["number"] { number = value }
    pipeline = members["pipeline"]?.string
    stage = members["stage"]?.string
    if case .integer(let value) = members["attempt"] { attempt = value }
    fields = members.filter { !Self.fixed.contains($0.key) }
  }
}
