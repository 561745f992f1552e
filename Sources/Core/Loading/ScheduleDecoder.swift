import Foundation

/// Makes a schedule of `trigger.schedule`, or tells what is wrong with it; its shape is checked elsewhere.
struct ScheduleDecoder {
  private(set) var findings = Findings()
  private let allowsMissing: Bool

  /// - Parameter allowsMissing: whether others complete it.
  init(allowsMissing: Bool = false) { self.allowsMissing = allowsMissing }

  /// `nil` where something is wrong.
  mutating func decode(_ node: Node) -> Schedule? {
    guard node.entries != nil else { return nil }
    guard let timing = timing(of: node) else { return nil }
    let zone = node["tz"]?.text
    if case .every = timing, let entry = node.entry("tz") {
      findings.error(
        "`tz` says nothing of `every`, which goes by real time", at: entry.mark,
        hint: "remove `tz`, or write a time of day with `cron`")
    }
    var schedule = Schedule(timing, zone: zone)
    if let missed = node["missed"] {
      switch missed.text {
      case "skip": schedule.missed = .skip
      case "all": schedule.missed = .all(most: MissedRule.mostIfUnsaid)
      default: schedule.missed = missed["all"]?.whole.map { .all(most: $0) } ?? .once
      }
    }
    if let overlap = node["overlap"] {
      switch overlap.text {
      case "skip": schedule.overlap = .skip
      case "allow": schedule.overlap = .allow(nil)
      default: schedule.overlap = overlap["allow"]?.whole.map { .allow($0) } ?? .queueOne
      }
    }
    schedule.grace = node["grace"]?.duration
    if let spread = node["spread"], let duration = spread.duration {
      schedule.spread = duration
      check(spread: duration, spread, timing)
    }
    if schedule.missed == .skip, let grace = node.entry("grace") {
      findings.warning(
        "`grace` says how long missed slots are made up for, and `missed: skip` makes up for none", at: grace.mark)
    }
    return schedule
  }

  /// A pipeline that begins later than its next slot is due would be told of the wrong one.
  private mutating func check(spread: Duration, _ node: Node, _ timing: Schedule.Timing) {
    guard let gap = timing.shortestGap, spread > .seconds(gap) else { return }
    findings.error(
      "`spread`: \(node.described) is longer than the time from one slot to the next, which is as short as "
        + "`\(Quantity.text(.seconds(gap)))`",
      at: node.mark, hint: "a pipeline begins within `spread` after its slot, so keep it below that")
  }

  private mutating func timing(of node: Node) -> Schedule.Timing? {
    switch (node["cron"], node["every"]) {
    case (let cron?, nil): return expression(cron).map { .cron($0) }
    case (nil, let every?): return period(every)
    case (_?, let every?):
      findings.error(
        "`cron` and `every` stand beside each other", at: every.mark, hint: "keep the one that is meant")
    case (nil, nil):
      if !allowsMissing {
        findings.error(
          "`schedule` says no time", at: node.mark, hint: "write `cron: \"30 2 * * *\"` or `every: 15m`")
      }
    }
    return nil
  }

  private mutating func expression(_ node: Node) -> CronExpression? {
    guard case .scalar(let text, let isQuoted) = node.content else { return nil }
    if let template = try? Template(parsing: text), !template.references.isEmpty {
      // a base is filled in by those that extend it
      if !allowsMissing {
        findings.error("`cron`: a schedule knows no `\(template.references[0].displayed)`", at: node.mark)
      }
      return nil
    }
    do { return try CronExpression(text) } catch {
      var mark = node.mark
      mark.column += error.column + (isQuoted ? 1 : 0)
      mark.length = 1
      findings.error("`cron`: \(error.reason)", at: mark, hint: error.hint)
      return nil
    }
  }

  private mutating func period(_ node: Node) -> Schedule.Timing? {
    guard let period = node.duration, period >= .seconds(1) else { return nil }
    let (seconds, rest) = period.components
    guard rest == 0, seconds <= 366 * 86400 else {
      findings.error("`every`: expected whole seconds, at most 366 days, got \(node.described)", at: node.mark)
      return nil
    }
    return .every(Int(seconds))
  }

  /// Words about a zone that the tz database does not have.
  static func unknown(zone: String, at mark: Mark) -> Diagnostic {
    let names = TimeZone.knownTimeZoneIdentifiers
    let nearest =
      Nearest.name(to: zone, among: names)
      ?? names.first { $0.split(separator: "/").last?.lowercased() == zone.lowercased() }
    return Diagnostic(
      at: mark, "`tz`: no time zone is called `\(Display.brief(zone))`",
      hint: nearest.map { "did you mean `\($0)`?" } ?? "a name of the tz database such as `Europe/Berlin` or `UTC`")
  }
}
