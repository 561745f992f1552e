package import Core
package import Foundation
import GRDB

/// A slot, and the runs that it begins.
package struct SlotRecord: Sendable, Equatable {
  package var slot: Slot
  package var runs: [Run]

  package init(_ slot: Slot, runs: [Run] = []) {
    self.slot = slot
    self.runs = runs
  }
}

extension StateStore {
  /// Slots of a pipeline that are remembered; older ones go.
  private static let kept = 500

  /// Records what became of slots, with the runs they begin and how far their schedules are settled now.
  ///
  /// A slot that is decided already stays as it is, and its runs are not begun; one that was queued may fire.
  /// - Returns: the runs that were recorded, with their numbers.
  package func record(_ records: [SlotRecord], marks: [ScheduleMark]) async throws -> [Run] {
    try await perform { database in
      for mark in marks { try database.put(mark) }
      var runs: [Run] = []
      for record in records where try database.put(record.slot) {
        for var run in record.runs where try database.insert(run) {
          run.number = Int(database.lastInsertedRowID)
          runs.append(run)
        }
      }
      for pipeline in Set(records.map(\.slot.pipeline)) { try database.forgetSlots(of: pipeline, keeping: Self.kept) }
      return runs
    }
  }

  /// Pauses the schedule of a pipeline; one that is paused stays so.
  package func pause(schedule pipeline: String, at now: Date) async throws {
    try await perform { database in
      try database.run(
        """
        INSERT INTO schedule (pipeline, content, seen, paused) VALUES (?1, '', ?2, ?2)
        ON CONFLICT DO UPDATE SET paused = coalesce(paused, excluded.paused)
        """, [pipeline, now.milliseconds])
    }
  }

  /// Lets the schedule of a pipeline go on with its next slot.
  package func resume(schedule pipeline: String, at now: Date) async throws {
    try await perform { database in
      try database.run(
        "UPDATE schedule SET paused = NULL, seen = ? WHERE pipeline = ? AND paused IS NOT NULL",
        [now.milliseconds, pipeline])
    }
  }
}

extension Database {
  fileprivate func put(_ mark: ScheduleMark) throws {
    // whether it is paused only `pause` and `resume` say
    try run(
      """
      INSERT INTO schedule (pipeline, content, seen) VALUES (?, ?, ?)
      ON CONFLICT DO UPDATE SET content = excluded.content, seen = excluded.seen
      """, [mark.pipeline, mark.content, mark.seen.milliseconds])
  }

  /// - Returns: false where the slot was decided before.
  fileprivate func put(_ slot: Slot) throws -> Bool {
    try run(
      """
      INSERT INTO slot (pipeline, due, state, at, missed, reason, run) VALUES (?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET state = excluded.state, at = excluded.at, reason = excluded.reason, run = excluded.run
        WHERE state = 'queued' AND excluded.state <> 'queued'
      """,
      [
        slot.pipeline, slot.due.milliseconds, slot.state.rawValue, slot.at.milliseconds, slot.missed,
        slot.reason?.storable, slot.run?.text,
      ])
    return changesCount == 1
  }

  fileprivate func forgetSlots(of pipeline: String, keeping count: Int) throws {
    try run(
      """
      DELETE FROM slot WHERE pipeline = ?1 AND state <> 'queued' AND due < (
        SELECT due FROM slot WHERE pipeline = ?1 ORDER BY due DESC LIMIT 1 OFFSET ?2)
      """, [pipeline, count])
  }
}
