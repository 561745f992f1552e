package import Core
import GRDB

extension StateReader {
  /// The last `ok` attempts of a stage, the newest first: what its time, cost and quality are guessed from.
  ///
  /// Looks no further back than ten times as many runs of the pipeline.
  /// - Parameter level: only attempts at this level; `nil` at any.
  package func stageHistory(
    pipeline: String, stage: String, limit: Int, level: Granularity? = nil
  ) async throws -> [Attempt] {
    try await read { database in
      try database.attempts(
        """
        WITH recent (number) AS (
          SELECT number FROM run INDEXED BY run_by_pipeline WHERE pipeline = ? ORDER BY number DESC LIMIT ?)
        SELECT \(Attempt.columns) FROM recent CROSS JOIN run ON run.number = recent.number
        CROSS JOIN attempt ON attempt.run = run.number AND attempt.stage = ?
        WHERE attempt.state = 'ok' AND attempt.granularity = coalesce(?, attempt.granularity)
        ORDER BY run.number DESC, attempt.n DESC LIMIT ?
        """,
        [pipeline, limit * 10, stage, level?.rawValue, limit])
    }
  }

  /// The newest done run with a drop, for each set of captures the pipeline has met: the data of a run without
  /// a drop.
  package func latestDoneDrop(pipeline: String) async throws -> [Run] {
    try await read { database in
      try database.runs(
        """
        WITH RECURSIVE met (captures) AS (
          SELECT min(captures) FROM run INDEXED BY run_done_drop
          WHERE pipeline = :pipeline AND state = 'done' AND drop_name IS NOT NULL
          UNION ALL
          SELECT (SELECT min(run.captures) FROM run INDEXED BY run_done_drop
            WHERE pipeline = :pipeline AND state = 'done' AND drop_name IS NOT NULL AND captures > met.captures)
          FROM met WHERE met.captures IS NOT NULL)
        SELECT \(Run.columns) FROM met CROSS JOIN run ON run.number = (
          SELECT max(number) FROM run INDEXED BY run_done_drop
          WHERE pipeline = :pipeline AND state = 'done' AND drop_name IS NOT NULL AND captures = met.captures)
        """,
        ["pipeline": pipeline])
    }
  }

  /// The run whose drop is read by one that has none itself: that it repeats, or which that one repeats.
  /// - Returns: `nil` where it has its own, or there is none.
  package func dropOwner(of run: Run) async throws -> Run? {
    guard run.drop == nil, let earlier = run.rerunOf else { return nil }
    return try await read { database in
      try database.runs(
        """
        WITH RECURSIVE line (id, n) AS (
          SELECT ?, 0
          UNION ALL
          SELECT run.rerun_of, n + 1 FROM line CROSS JOIN run ON run.id = line.id
          WHERE run.drop_name IS NULL AND run.rerun_of IS NOT NULL AND n < 1000)
        SELECT \(Run.columns) FROM line CROSS JOIN run ON run.id = line.id
        WHERE run.drop_name IS NOT NULL ORDER BY n LIMIT 1
        """, [earlier.text]
      ).first
    }
  }
}
