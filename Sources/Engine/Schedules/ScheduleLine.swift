import Core
import Foundation

/// The schedule of one pipeline in force, and how far it is settled.
struct ScheduleLine: Sendable {
  let version: PipelineVersion
  let schedule: Schedule
  let slots: Slots
  /// Seconds from each slot to the moment its run begins.
  let delay: Int
  /// What became of every slot up to here is decided; seconds since 1970 UTC.
  private(set) var seen: Int
  let isPaused: Bool
  /// The next slot that is to be decided.
  private(set) var next: Int?

  /// - Parameters:
  ///   - mark: what is remembered of it; of another expression, or where there is none, no slot was missed.
  ///   - now: seconds since 1970 UTC.
  init?(_ version: PipelineVersion, mark: ScheduleMark?, zones: any Zones, now: Int) {
    guard let schedule = version.pipeline.trigger.schedule, let zone = zones.rules(schedule.zone) else { return nil }
    self.version = version
    self.schedule = schedule
    slots = schedule.slots(in: zone)
    delay = schedule.delay(of: version.pipeline.name)
    let known = mark.flatMap {
      $0.content == schedule.content ? Int($0.seen.timeIntervalSince1970.rounded(.down)) : nil
    }
    seen = known ?? now - delay
    isPaused = mark?.paused != nil
    next = slots.next(after: seen)
  }

  var name: String { version.pipeline.name }

  /// When it is to be looked at; `nil` where nothing comes.
  var wakes: Int? { isPaused ? nil : next.map { $0 + delay } }

  /// Everything that has come up by now is decided.
  mutating func settle(at now: Int) {
    seen = now - delay
    next = slots.next(after: seen)
  }

  var mark: ScheduleMark {
    ScheduleMark(pipeline: name, content: schedule.content, seen: Date(timeIntervalSince1970: Double(seen)))
  }

  /// What is to become of the slots that have passed by now, seconds since 1970 UTC; `nil` where none has.
  func plan(at now: Int) -> SlotPlan? {
    guard let wakes, wakes <= now else { return nil }
    return SlotPlan(schedule, slots, after: seen, now: now - delay)
  }
}
