import Core
import Foundation

/// A log record as one line for a person.
struct LogLine {
  let output: Output

  func text(_ record: LogRecord) -> String {
    var parts = [output.toned(LocalTime.clock(record.time), .quiet), mark(record.level)]
    if let number = record.number { parts.append(output.toned("#\(number)", .quiet)) }
    if let subject = record.stage ?? record.pipeline {
      let attempt = record.attempt.map { $0 > 1 ? " (attempt \($0))" : "" } ?? ""
      parts.append(output.toned(Shown.words(subject), .strong) + attempt)
    }
    if record.message == "output" {
      let hook = record.fields["hook"]?.string.map { "[\(Shown.words($0))] " } ?? ""
      parts.append(output.toned("│ ", .quiet) + hook + Shown.words(record.fields["line"]?.string ?? ""))
    } else {
      parts.append(tinted(LogSentence.text(record) ?? plain(record), record.level))
    }
    return parts.joined(separator: " ")
  }

  private func mark(_ level: LogRecord.Level) -> String {
    switch level {
    case .debug, .info: " "
    case .notice: output.toned("✓", .good)
    case .warning: output.toned("!", .odd)
    case .error, .critical: output.toned("✗", .bad)
    }
  }

  private func tinted(_ text: String, _ level: LogRecord.Level) -> String {
    switch level {
    case .debug: output.toned(text, .quiet)
    case .info: text
    case .notice: output.toned(text, .good)
    case .warning: output.toned(text, .odd)
    case .error, .critical: output.toned(text, .bad)
    }
  }

  /// What no sentence was written for: its words, then what goes with them, the reason last.
  private func plain(_ record: LogRecord) -> String {
    let fields = record.fields.filter { $0.value != .null && $0.key != "reason" }.sorted { $0.key < $1.key }
    let shown = fields.map { "\(Shown.words($0.key).replacing("_", with: " ")) \(Shown.value($0.value))" }
    return Shown.words(record.message) + (shown.isEmpty ? "" : " (\(shown.joined(separator: ", ")))")
      + (record.fields["reason"]?.string.map { ": \(Shown.words($0))" } ?? "")
  }
}
