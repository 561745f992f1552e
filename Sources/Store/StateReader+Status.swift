package import Core
import GRDB

extension StateReader {
  /// How many runs are in which state; read from counters, whatever their number.
  package func counts() async throws -> [RunCount] {
    try await read { database in
      try Row.fetchAll(
        database, sql: "SELECT * FROM run_count WHERE count > 0 ORDER BY pipeline, state"
      ).map { row in
        RunCount(
          pipeline: try row.value("pipeline"), state: try row.word("state"),
          count: try row.value("count"))
      }
    }
  }

  /// The newest run of every pipeline, ended or not, by pipeline.
  package func lastRunPerPipeline() async throws -> [Run] {
    try await lastRuns(where: "count > 0")
  }

  /// The newest run of every pipeline that has ended: what the exit code of `status` asks for.
  package func lastEndedRunPerPipeline() async throws -> [Run] {
    try await lastRuns(where: "count > 0 AND state IN ('done', 'failed', 'cancelled', 'quarantined')")
  }

  /// Runs in one of these states, the oldest first, however many there are.
  package func oldest(in states: [RunState], limit: Int) async throws -> [Run] {
    try await read { database in
      let runs = try states.flatMap { state in
        try database.runs(
          """
          SELECT \(Run.columns) FROM run INDEXED BY run_by_state WHERE state = ? ORDER BY number LIMIT ?
          """,
          [state.rawValue, limit])
      }
      return Array(runs.sorted { $0.number < $1.number }.prefix(limit))
    }
  }

  /// Failed and quarantined runs that nobody has acknowledged, the newest first.
  /// - Parameter before: the number where the page before this one ended.
  package func recentFailures(limit: Int, before: Int = .max) async throws -> [Run] {
    try await read { database in
      try database.runs(
        """
        SELECT \(Run.columns) FROM run INDEXED BY run_open_failure
        WHERE state IN ('failed', 'quarantined') AND acknowledged = 0 AND number < ?
        ORDER BY number DESC LIMIT ?
        """,
        [before, limit])
    }
  }

  /// Quarantined runs that nobody has acknowledged, the newest first.
  package func unacknowledgedQuarantine(limit: Int) async throws -> [Run] {
    try await read { database in
      try database.runs(
        """
        SELECT \(Run.columns) FROM run INDEXED BY run_unacknowledged
        WHERE state = 'quarantined' AND acknowledged = 0 ORDER BY number DESC LIMIT ?
        """,
        [limit])
    }
  }

  /// Whether a drop lies in `failed` that nobody has acknowledged or tried again.
  package func hasFailedDrop() async throws -> Bool {
    try await read { database in
      // the first two conditions are those of the index
      try Bool.fetchOne(
        database,
        sql: """
          SELECT EXISTS (SELECT 1 FROM run INDEXED BY run_open_failure
          WHERE state IN ('failed', 'quarantined') AND acknowledged = 0 AND state = 'failed' AND drop_name IS NOT NULL)
          """) ?? false
    }
  }

  /// By path.
  package func configs() async throws -> [ConfigStatus] {
    try await read { database in
      try Row.fetchAll(database, sql: "SELECT * FROM config ORDER BY path").map { row in
        try ConfigStatus(
          path: row.value("path"), digest: row["digest"], state: row.word("state"),
          diagnostics: row.json("diagnostics"), since: row.requiredDate("since"),
          activeDigest: row["active_digest"])
      }
    }
  }

  /// The agent that worked here last.
  package func agent() async throws -> AgentRecord? {
    try await read { database in
      try Row.fetchOne(database, sql: "SELECT * FROM agent WHERE one = 1").map { row in
        try AgentRecord(
          boot: row.value("boot"), pid: row.value("pid"),
          started: row.requiredDate("started"),
          ended: row.date("ended"))
      }
    }
  }

  private func lastRuns(where condition: String) async throws -> [Run] {
    try await read { database in
      try database.runs(
        """
        WITH last (number) AS (
          SELECT max((SELECT max(run.number) FROM run INDEXED BY run_by_pipeline_state
            WHERE run.pipeline = run_count.pipeline AND run.state = run_count.state))
          FROM run_count WHERE \(condition) GROUP BY pipeline)
        SELECT \(Run.columns) FROM last CROSS JOIN run ON run.number = last.number ORDER BY run.pipeline
        """)
    }
  }
}
