package import Core
import GRDB

extension StateReader {
  /// How far every schedule is settled, by pipeline.
  package func scheduleMarks() async throws -> [String: ScheduleMark] {
    try await read { database in
      let marks = try Row.fetchAll(database, sql: "SELECT * FROM schedule").map { row in
        ScheduleMark(
          pipeline: try row.value("pipeline"), content: try row.value("content"), seen: try row.requiredDate("seen"),
          paused: row.date("paused"))
      }
      return Dictionary(marks.map { ($0.pipeline, $0) }) { first, _ in first }
    }
  }

  /// The slots of a pipeline, the newest first.
  package func slots(of pipeline: String, limit: Int) async throws -> [Slot] {
    try await read { database in
      try Row.fetchAll(
        database.cachedStatement(sql: "SELECT * FROM slot WHERE pipeline = ? ORDER BY due DESC LIMIT ?"),
        arguments: [pipeline, limit]
      ).map(Slot.init(row:))
    }
  }

  /// Slots that wait for the end of a run, the oldest first.
  package func queuedSlots() async throws -> [Slot] {
    try await read { database in
      try Row.fetchAll(
        database, sql: "SELECT * FROM slot INDEXED BY slot_queued WHERE state = 'queued' ORDER BY pipeline, due"
      ).map(Slot.init(row:))
    }
  }

  /// How many slots of each pipeline are at work: runs of theirs have not ended.
  package func openSlots() async throws -> [String: Int] {
    try await read { database in
      let rows = try Row.fetchAll(
        database,
        sql: """
          SELECT pipeline, count(DISTINCT slot) AS slots FROM run INDEXED BY run_open
          WHERE state IN ('queued', 'running', 'waiting') AND slot IS NOT NULL GROUP BY pipeline
          """)
      return Dictionary(try rows.map { (try $0.value("pipeline"), try $0.value("slots")) }) { first, _ in first }
    }
  }
}

extension Slot {
  fileprivate init(row: Row) throws {
    self.init(
      pipeline: try row.value("pipeline"), due: try row.requiredDate("due"), state: try row.word("state"),
      at: try row.requiredDate("at"), missed: try row.value("missed"), reason: row["reason"],
      run: (row["run"] as String?).flatMap(RunID.init))
  }
}
