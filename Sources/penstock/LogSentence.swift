import Core
import Foundation

/// What the records that people meet most say, as sentences; the keys of the log are left to programs.
enum LogSentence {
  /// `nil` where the record is best shown as it is.
  static func text(_ record: LogRecord) -> String? {
    let fields = Fields(values: record.fields)
    return agent(record, fields) ?? intake(record, fields) ?? run(record, fields) ?? trial(record, fields)
      ?? schedule(record, fields)
      ?? rest(record, fields)
  }

  private struct Fields {
    var values: [String: JSON]

    subscript(key: String) -> String { values[key]?.string.map { Shown.words($0) } ?? "" }

    func number(_ key: String) -> Double? { values[key]?.double }

    /// `: why`, or nothing.
    var why: String { self["reason"].isEmpty ? "" : ": " + self["reason"] }

    /// The same of a drop that the sentence has named already: `: it is a directory`.
    var whyIt: String {
      var reason = self["reason"]
      if reason.isEmpty { return "" }
      let name = "`\(self["drop"])` "
      if reason.hasPrefix(name) { reason = String(reason.dropFirst(name.count)) }
      let isSentence = ["is ", "has ", "was ", "became "].contains { reason.hasPrefix($0) }
      return ": " + (isSentence ? "it " : "") + reason
    }
  }

  private static func trial(_ record: LogRecord, _ fields: Fields) -> String? {
    let name = "trial \(Int(fields.number("trial") ?? 0))"
    switch record.message {
    case "trial began": return "\(name) of \(fields["of"]) compares \(Int(fields.number("arms") ?? 0)) arms"
    case "arm evaluated":
      let metric = fields.number("metric").map { ": \(($0 * 10000).rounded() / 10000)" } ?? fields.why
      return "\(name), \(fields["unit"]), \(fields["arm"])\(metric)"
    case "trial paused": return "\(name) goes on later\(fields.why)"
    case "trial ended": return "\(name) of \(fields["of"]) has ended\(fields.why)"
    case "no trial begins": return "no trial of \(fields["of"]) begins\(fields.why)"
    default: return nil
    }
  }

  private static func agent(_ record: LogRecord, _ fields: Fields) -> String? {
    switch record.message {
    case "agent started": "the agent works in \(fields["home"]) (pid \(Int(fields.number("pid") ?? 0)))"
    case "agent is stopping": "the agent is stopping\(fields.why)\(draining(fields))"
    case "agent ends what runs": "asked again, the agent ends what runs now"
    case "request refused": "a command was refused\(fields.why)"
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
    case "drop is held": "\(fields["drop"]) is held in the inbox\(fields.whyIt)"
    case "no pipeline takes this drop; it stays in the inbox":
      "\(fields["drop"]) stays in the inbox: no pipeline takes it"
        + (fields["nearest"].isEmpty ? "" : "; " + Routing.nearly(FileName(fields["drop"]), fields["nearest"]))
    case "drop quarantined": "\(fields["drop"]) is quarantined\(fields.whyIt)"
    case "drop filed":
      fields["drop"].isEmpty ? "its work is put away" : "\(fields["drop"]) lies in \(fields["to"])/ now"
    case "an ended run's drop cannot be filed yet; trying again":
      "the drop of an ended run cannot be filed yet, trying again\(fields.why)"
    case "intake is paused": "nothing more is claimed for now\(fields.why)"
    case "intake goes on": "drops are claimed again"
    default: nil
    }
  }

  /// What happens to the runs at work, and how to have it faster.
  private static func draining(_ fields: Fields) -> String {
    let running = Int(fields.number("running") ?? 0)
    if running == 0 { return "" }
    let within = Shown.seconds(fields.number("drain_s"))
    let again = fields["reason"] == "interrupted" ? "Ctrl-C again" : "a second signal"
    return "; \(Shown.count(running, "run")) may finish the stage at work within \(within), \(again) ends it now"
  }

  private static func run(_ record: LogRecord, _ fields: Fields) -> String? {
    switch record.message {
    case "run started":
      "started" + (fields["drop"].isEmpty ? "" : " for \(fields["drop"])") + ", "
        + Shown.count(record.fields["stages"]?.array?.count ?? 0, "stage")
    case "run is waiting": "waits\(fields.why)"
    case "run ended": "\(fields["state"])\(took(fields))\(fields.why)"
    case "stage started": started(fields)
    case "stage ended": ended(fields)
    case "item failed": "item \(fields["item"]) failed\(fields.why)"
    case "stage will be tried again":
      "is tried again in \(Shown.seconds(fields.number("wait_s")))\(fields.why)"
    default: nil
    }
  }

  /// Nothing for a run of which no stage ever began.
  private static func took(_ fields: Fields) -> String {
    guard let seconds = fields.number("seconds"), seconds > 0 else { return "" }
    return " after \(Shown.seconds(seconds))"
  }

  private static func started(_ fields: Fields) -> String {
    guard let level = Granularity(rawValue: fields["granularity"]), level != .coarse else { return "started" }
    let sample = fields.number("sample").map { " \(Shown.value(.number($0 * 100)))%" } ?? ""
    return "started at \(Shown.level(level))\(sample): \(fields["granularity_reason"])"
  }

  private static func ended(_ fields: Fields) -> String {
    var text = fields["state"]
    if let wall = fields.number("wall_s") { text += " after \(Shown.seconds(wall))" }
    if let items = fields.number("items") {
      let failed = Int(fields.number("items_failed") ?? 0)
      text += ", \(Shown.count(Int(items), "item"))" + (failed == 0 ? "" : ", \(failed) failed")
    }
    var used: [String] = []
    if let cpu = fields.number("cpu_s") { used.append("\(Shown.seconds(cpu)) CPU") }
    if let peak = fields.number("rss_bytes") { used.append(Shown.bytes(Int(peak))) }
    if !used.isEmpty { text += " (\(used.joined(separator: ", ")))" }
    return text + fields.why
  }

  private static func schedule(_ record: LogRecord, _ fields: Fields) -> String? {
    let slot = "the slot of \(fields["name"]) at \(Timestamp.date(fields["slot"]).map(LocalTime.full) ?? "")"
    let missed = fields.number("missed").map { Int($0) } ?? 0
    return switch record.message {
    case "slot begins a run":
      "\(slot) begins a run" + (missed == 0 ? "" : ", \(Shown.count(missed, "slot")) before it missed")
    case "slot waits": "\(slot) waits\(fields.why)"
    case "slot is skipped": "\(slot) is skipped\(fields.why)"
    case "slot was missed": "\(slot) was missed\(missed > 1 ? " with \(missed - 1) before it" : "")\(fields.why)"
    case "schedule paused": "the schedule of \(fields["name"]) is paused"
    case "schedule goes on": "the schedule of \(fields["name"]) goes on with its next slot"
    default: nil
    }
  }

  private static func rest(_ record: LogRecord, _ fields: Fields) -> String? {
    switch record.message {
    case "hook called":
      "\(fields["event"]) hook \(fields["hook"]): \(HookDecision.words(fields["decision"])) after \(Shown.seconds(fields.number("wall_s")))\(fields.why)"
    case "old runs cleared away":
      "cleared away what is old: \(Shown.count(Int(fields.number("runs") ?? 0), "run")) of the history, "
        + "\(Shown.bytes(Int(fields.number("bytes") ?? 0))) of files"
    case "hook does not run": "\(fields["event"]) hook \(fields["hook"]) does not run\(fields.why)"
    case "hook warns": "hook \(fields["hook"]) warns: \(fields["warning"])"
    case "policy is taken back; everything is coarse":
      "the policy \(fields["levels"]) is taken back, everything is coarse\(fields.why)"
    case "a rule cannot be evaluated": fields["reason"]
    case "pipeline loaded": "pipeline \(fields["name"]) loaded from \(fields["path"])"
    case "pipeline changed; new runs use the new version":
      "pipeline \(fields["name"]) changed in \(fields["path"]); new runs use the new version"
    case "a stage cannot run as things are":
      "\(fields["path"]): stage `\(fields["of"])` cannot run: \(fields["reason"])"
    case "pipeline file is gone; its runs end on the version they began with":
      "\(fields["path"]) is gone; runs of \(fields["name"]) end on the version they began with"
    case let message where message.hasPrefix("pipeline file is invalid"):
      "\(fields["path"]) is invalid (\(Shown.count(Int(fields.number("errors") ?? 0), "error"))), "
        + "first: \(fields["first"])" + message.dropFirst("pipeline file is invalid".count)
    default: nil
    }
  }
}
