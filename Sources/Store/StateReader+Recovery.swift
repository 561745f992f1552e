package import Core
import GRDB

extension StateReader {
  /// Runs that have not ended, the oldest first.
  package func openRuns() async throws -> [Run] {
    try await read { database in
      try database.runs(
        """
        SELECT \(Run.columns) FROM run INDEXED BY run_open
        WHERE state IN ('queued', 'running', 'waiting') ORDER BY number
        """)
    }
  }

  /// Attempts that were begun and not closed.
  package func runningAttempts() async throws -> [Attempt] {
    try await read { database in
      try database.attempts(
        """
        SELECT \(Attempt.columns) FROM attempt INDEXED BY attempt_running
        CROSS JOIN run ON run.number = attempt.run WHERE attempt.state = 'running' ORDER BY attempt.run, attempt.stage
        """)
    }
  }

  /// Runs that have ended and whose drop is not yet in done, failed or quarantine, the oldest first.
  package func unfiled() async throws -> [Run] {
    try await read { database in
      try database.runs(
        """
        SELECT \(Run.columns) FROM run INDEXED BY run_unfiled
        WHERE filed = 0 AND drop_name IS NOT NULL AND state IN ('done', 'failed', 'cancelled', 'quarantined')
        ORDER BY number
        """)
    }
  }

  /// Which of these ids have a run.
  package func knownRunIDs(of ids: [RunID]) async throws -> Set<RunID> {
    try await read { database in
      let statement = try database.cachedStatement(sql: "SELECT 1 FROM run WHERE id = ?")
      return Set(try ids.filter { try Row.fetchOne(statement, arguments: [$0.text]) != nil })
    }
  }
}
