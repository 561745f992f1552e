import Core
import Foundation

/// What the records that people meet most say, as sentences; the keys of the log are left to programs.
enum LogSentence {
  /// `nil` where the record is best shown as it is.
  static func text(_ record: LogRecord) -> String? {
    let fields = Fields(values: record.fields)
    return agent(record, fields) ?? intake(record, fields) ?? run(record, fields) ?? rest(record, fields)
  }

  private struct Fields {
    var values: [String: JSON]

    subscript(key: String) -> String { values[key]?.string.map { Shown.words($0) } ?? "" }

    func number(_ key: String) -> Double? { values[key]?.double }

    /// `: why`, or nothing.
    var why: String { self["reason"].isEmpty ? "" : ": " + self["reason"] }
  }

  private static func agent(_ record: LogRecord, _ fields: Fields) -> String? {
    switch record.message {
    case "agent started": "the agent works in \(fields["home"]) (pid \(Int(fields.number("pid") ?? 0)))"
    case "agent is stopping": "the agent is stopping\(fields.why)"
    case "agent stopped": "the agent has stopped"
    case "took up what an earlier agent left":
      "took up what an earlier agent left: \(Shown.count(Int(fields.number("runs") ?? 0), "run"))"
    case "watching is impaired": "watching is impaired\(fields.why)"
    case "watching is whole again": "it is over that \(fields["was"])"
    case "the inbox is watched": "the inbox is watched \(fields["how"])"
    case "events were lost; the inbox is looked at whole":
      "events were lost (\(Int(fields.number("overflows") ?? 0)) times now); the inbox is looked at whole"
    default: nil
    }
  }

  private static func intake(_ record: LogRecord, _ fields: Fields) -> String? {
    switch record.message {
    case "drop claimed": "\(fields["drop"]) claimed, \(Shown.bytes(fields.number("bytes").map { Int($0) }))"
    case "drop is held": "\(fields["drop"]) is held in the inbox\(fields.why)"
    case "no pipeline takes this drop; it stays in the inbox":
      "\(fields["drop"]) stays in the inbox: no pipeline takes it"
        + (fields["nearest"].isEmpty ? "" : "; the nearest pattern is `\(fields["nearest"])`")
    case "drop quarantined": "\(fields["drop"]) is quarantined\(fields.why)"
    case "intake is paused": "nothing more is claimed for now\(fields.why)"
    default: nil
    }
  }

  private static func run(_ record: LogRecord, _ fields: Fields) -> String? {
    switch record.message {
    case "run started":
      "started" + (fields["drop"].isEmpty ? "" : " for \(fields["drop"])") + ", "
        + Shown.count(record.fields["stages"]?.array?.count ?? 0, "stage")
    case "run is waiting": "waits\(fields.why)"
    case "run ended": "\(fields["state"]) after \(Shown.seconds(fields.number("seconds")))\(fields.why)"
    case "stage started": started(fields)
    case "stage ended": ended(fields)
    case "stage will be tried again":
      "is tried again in \(Shown.seconds(fields.number("wait_s")))\(fields.why)"
    default: nil
    }
  }

  private static func started(_ fields: Fields) -> String {
    guard let level = Granularity(rawValue: fields["granularity"]), level != .coarse else { return "started" }
    let sample = fields.number("sample").map { " \(Shown.value(.number($0 * 100)))%" } ?? ""
    return "started at \(Shown.level(level))\(sample): \(fields["granularity_reason"])"
  }

  private static func ended(_ fields: Fields) -> String {
    var text = fields["state"]
    if let wall = fields.number("wall_s") { text += " after \(Shown.seconds(wall))" }
    var used: [String] = []
    if let cpu = fields.number("cpu_s") { used.append("\(Shown.seconds(cpu)) CPU") }
    if let peak = fields.number("rss_bytes") { used.append(Shown.bytes(Int(peak))) }
    if !used.isEmpty { text += " (\(used.joined(separator: ", ")))" }
    return text + fields.why
  }

  private static func rest(_ record: LogRecord, _ fields: Fields) -> String? {
    switch record.message {
    case "hook called":
      "\(fields["event"]) hook \(fields["hook"]): \(fields["decision"]) after \(Shown.seconds(fields.number("wall_s")))\(fields.why)"
    case "hook does not run": "\(fields["event"]) hook \(fields["hook"]) does not run\(fields.why)"
    case "hook warns": "hook \(fields["hook"]) warns: \(fields["warning"])"
    case "pipeline loaded": "pipeline \(fields["name"]) loaded from \(fields["path"])"
    case "pipeline changed; new runs use the new version":
      "pipeline \(fields["name"]) changed in \(fields["path"]); new runs use the new version"
    case "pipeline file is gone; its runs end on the version they began with":
      "\(fields["path"]) is gone; runs of \(fields["name"]) end on the version they began with"
    case let message where message.hasPrefix("pipeline file is invalid"):
      "\(fields["path"]) is invalid (\(Shown.count(Int(fields.number("errors") ?? 0), "error"))), "
        + "first: \(fields["first"])" + message.dropFirst("pipeline file is invalid".count)
    default: nil
    }
  }
}
