import Core
import Foundation

/// A log record as one line for a person.
struct LogLine {
  let output: Output

  func text(_ record: LogRecord) -> String {
    let time = record.time.formatted(Date.VerbatimFormatStyle.clock)
    var parts = [output.toned(time, .quiet), level(record.level)]
    if let number = record.number { parts.append("#\(number)") }
    if let pipeline = record.pipeline, record.stage == nil { parts.append(Display.escaped(pipeline)) }
    if let stage = record.stage { parts.append(output.toned(stage, .strong) + (record.attempt.map { $0 > 1 ? " (attempt \($0))" : "" } ?? "")) }
    if record.message == "output" {
      let hook = record.fields["hook"]?.string.map { "[\(Display.escaped($0))] " } ?? ""
      parts.append("│ " + hook + Display.escaped(record.fields["line"]?.string ?? ""))
      return parts.joined(separator: " ")
    }
    parts.append(record.message)
    let fields = record.fields.filter { $0.value != .null }.sorted { $0.key < $1.key }
    parts += fields.map { output.toned($0.key + "=", .quiet) + shown($0.value) }
    return parts.joined(separator: " ")
  }

  private func level(_ level: LogRecord.Level) -> String {
    switch level {
    case .debug: output.toned("debug", .quiet)
    case .info: output.toned("info ", .quiet)
    case .notice: output.toned("note ", .good)
    case .warning: output.toned("warn ", .odd)
    case .error: output.toned("error", .bad)
    case .critical: output.toned("CRIT ", .bad)
    }
  }

  private func shown(_ value: JSON) -> String {
    switch value {
    case .string(let text):
      let escaped = Display.escaped(text)
      return escaped.contains(" ") || escaped.isEmpty ? "\"\(escaped)\"" : escaped
    case .number(let number): return String(format: "%.3g", number)
    default: return (try? value.line()) ?? ""
    }
  }
}

extension Date.VerbatimFormatStyle {
  static var clock: Date.VerbatimFormatStyle {
    Date.VerbatimFormatStyle(
      format: "\(hour: .twoDigits(clock: .twentyFourHour, hourCycle: .zeroBased)):\(minute: .twoDigits):\(second: .twoDigits)",
      timeZone: .current, calendar: Calendar(identifier: .gregorian))
  }
}
