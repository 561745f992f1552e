package import Core

/// What happens with schedules, as data.
package enum ScheduleNews: Sendable {
  /// What became of a slot was decided.
  case slot(Slot)
  case paused(String)
  case resumed(String)
  /// By more than three hours; no slot between is made up for.
  case clockCorrected(seconds: Int)
}

extension LogWords {
  static func schedule(_ news: ScheduleNews) -> (LogRecord.Level, String, [String: JSON]) {
    switch news {
    case .slot(let slot): Self.slot(slot)
    case .paused(let pipeline): (.notice, "schedule paused", ["name": .string(pipeline)])
    case .resumed(let pipeline): (.notice, "schedule goes on", ["name": .string(pipeline)])
    case .clockCorrected(let seconds):
      (
        .warning, "the clock was set by more than three hours; slots between are not made up for",
        ["seconds": .integer(seconds)]
      )
    }
  }

  private static func slot(_ slot: Slot) -> (LogRecord.Level, String, [String: JSON]) {
    var fields: [String: JSON] = ["name": .string(slot.pipeline), "slot": .string(Timestamp.text(slot.due))]
    if let reason = slot.reason { fields["reason"] = .string(reason) }
    if slot.missed > 0 { fields["missed"] = .integer(slot.missed) }
    if let run = slot.run { fields["run_id"] = .string(run.text) }
    return switch slot.state {
    case .fired: (slot.missed > 0 ? .warning : .info, "slot begins a run", fields)
    case .queued: (.info, "slot waits", fields)
    case .skipped: (.warning, "slot is skipped", fields)
    case .missed: (.warning, "slot was missed", fields)
    }
  }
}
