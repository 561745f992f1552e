package import Foundation

/// One moment a schedule was due, and what became of it.
package struct Slot: Sendable, Equatable {
  package var pipeline: String
  package var due: Date
  package var state: State
  /// When that was decided.
  package var at: Date
  /// Slots before it that were missed and have no run of their own; of a missed one itself too.
  package var missed: Int
  /// Why it has no run, in words.
  package var reason: String?
  /// The run it began; the first of several.
  package var run: RunID?

  package enum State: String, Sendable, CaseIterable {
    case fired
    /// It waits for the end of the run of an earlier one.
    case queued
    /// Something kept it from running at its time.
    case skipped
    /// Nobody was there at its time.
    case missed
  }

  package init(
    pipeline: String, due: Date, state: State, at: Date, missed: Int = 0, reason: String? = nil, run: RunID? = nil
  ) {
    self.pipeline = pipeline
    self.due = due
    self.state = state
    self.at = at
    self.missed = missed
    self.reason = reason
    self.run = run
  }

  /// Whether something went otherwise than the schedule says.
  package var isMisfire: Bool { state == .missed || state == .skipped || missed > 0 }
}

/// How far a pipeline's schedule is settled.
package struct ScheduleMark: Sendable, Equatable {
  package var pipeline: String
  /// See `Schedule.content`.
  package var content: String
  /// What became of every slot up to here is decided.
  package var seen: Date
  /// Since when it is paused.
  package var paused: Date?

  package init(pipeline: String, content: String, seen: Date, paused: Date? = nil) {
    self.pipeline = pipeline
    self.content = content
    self.seen = seen
    self.paused = paused
  }
}
