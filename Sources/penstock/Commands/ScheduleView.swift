import Core
import Foundation
import Host
import Store

/// The schedule of one pipeline, as a person asks for it.
struct ScheduleView: Sendable {
  /// Slots looked back for one that went otherwise than planned.
  private static let recent = 20

  var pipeline: String
  var schedule: Schedule
  var slots: Slots
  var now: Date
  /// The next slot; `nil` where it is paused or none comes.
  var next: Date?
  var paused: Date?
  /// The newest first.
  var past: [Slot] = []

  /// - Returns: `nil` where the pipeline has no schedule, or one of an unknown zone.
  static func read(
    _ version: PipelineVersion, _ reader: StateReader?, marks: [String: ScheduleMark], zones: ZoneFiles, now: Date
  )
    async throws -> ScheduleView?
  {
    let name = version.pipeline.name
    guard let schedule = version.pipeline.trigger.schedule, let zone = zones.rules(schedule.zone) else { return nil }
    var view = ScheduleView(pipeline: name, schedule: schedule, slots: schedule.slots(in: zone), now: now)
    let mark = marks[name]
    view.paused = mark?.paused
    if view.paused == nil {
      let seen = mark.flatMap { $0.content == schedule.content ? Int($0.seen.timeIntervalSince1970) : nil } ?? .min
      view.next = view.slots(after: max(Int(now.timeIntervalSince1970) - view.delay, seen), count: 1).first
    }
    view.past = try await reader?.slots(of: name, limit: Self.recent) ?? []
    return view
  }

  /// Of every pipeline in force that has one.
  static func all(_ versions: [PipelineVersion], _ reader: StateReader?, now: Date) async throws -> [ScheduleView] {
    let zones = ZoneFiles(environment: ProcessInfo.processInfo.environment)
    let marks = try await reader?.scheduleMarks() ?? [:]
    var views: [ScheduleView] = []
    for version in versions.sorted(by: { $0.pipeline.name < $1.pipeline.name }) {
      if let view = try await read(version, reader, marks: marks, zones: zones, now: now) { views.append(view) }
    }
    return views
  }

  var delay: Int { schedule.delay(of: pipeline) }

  /// When the run of a slot begins: slots of pipelines with `spread` begin after it.
  func fires(_ slot: Date) -> Date { slot.addingTimeInterval(Double(delay)) }

  /// The next slots after a moment, seconds since 1970 UTC.
  func slots(after moment: Int, count: Int) -> [Date] {
    var found: [Date] = []
    var last = moment
    while found.count < count, let slot = slots.next(after: last) {
      let due = Date(timeIntervalSince1970: Double(slot))
      // no text says a later moment
      if due + Double(delay) >= Timestamp.end { break }
      found.append(due)
      last = slot
    }
    return found
  }

  /// The zone its times are meant in, as a person calls it; `nil` where it has none.
  var zone: String? {
    if case .every = schedule.timing { return nil }
    return schedule.zone ?? "local"
  }

  func mark(of slot: Date) -> SlotMark? {
    guard case .cron(let cron) = slots else { return nil }
    return SlotMark(due: Int(slot.timeIntervalSince1970), of: cron)
  }

  var state: String {
    paused != nil ? "paused" : past.contains { $0.state == .queued } ? "waits" : "on"
  }

  /// The newest slot that went otherwise than planned, where it is the last one or of the last day.
  var misfire: Slot? {
    past.enumerated().first { place, slot in
      slot.isMisfire && (place == 0 || now.timeIntervalSince(slot.due) < 86400)
    }?.element
  }

  var json: JSON {
    [
      "pipeline": .string(pipeline), "schedule": .string(schedule.words), "tz": zone.map { .string($0) } ?? .null,
      "state": .string(state), "paused": RunJSON.time(paused), "next": RunJSON.time(next),
      "fires": RunJSON.time(next.map { fires($0) }), "last": past.first.map(Self.json) ?? .null,
      "misfire": misfire.map(Self.json) ?? .null,
    ]
  }

  static func json(_ slot: Slot) -> JSON {
    [
      "due": .string(Timestamp.text(slot.due)), "state": .string(slot.state.rawValue),
      "at": .string(Timestamp.text(slot.at)), "missed": .integer(slot.missed),
      "reason": slot.reason.map { .string($0) } ?? .null, "run": slot.run.map { .string($0.text) } ?? .null,
    ]
  }

  /// `2026-11-20 02:30 skipped: an earlier slot is still at work`.
  static func words(_ slot: Slot, _ time: LocalTime) -> String {
    var text = "\(time.text(slot.due)) \(slot.state.rawValue)"
    if slot.state == .missed {
      if slot.missed > 1 { text += " with \(slot.missed - 1) before it" }
    } else if slot.missed > 0 {
      text += ", \(Shown.count(slot.missed, "slot")) before it missed"
    }
    if let reason = slot.reason, slot.state != .fired { text += ": \(Shown.words(reason))" }
    return text
  }
}
