package import Core
import GRDB

extension StateStore {
  /// Takes an outcome out of the cache that is no longer what was recorded, unless a newer one took its place.
  package func forgetCached(key: String, of run: RunID) async throws {
    try await perform { database in
      try database.run(
        "DELETE FROM cache WHERE \"key\" = ? AND run = (SELECT number FROM run WHERE id = ?)", [key, run.text])
    }
  }

  /// Takes everything of these runs out of the cache: their files go.
  package func forgetCached(of runs: [RunID]) async throws {
    if runs.isEmpty { return }
    try await perform { database in
      for run in runs {
        try database.run("DELETE FROM cache WHERE run = (SELECT number FROM run WHERE id = ?)", [run.text])
      }
    }
  }
}

extension StateReader {
  /// The outcome that is remembered for a key; `nil` where there is none.
  package func cached(key: String) async throws -> RememberedOutcome? {
    try await read { database in
      let place = try Row.fetchOne(
        database.cachedStatement(sql: "SELECT run, stage, n FROM cache WHERE \"key\" = ?"), arguments: [key])
      guard let place else { return nil }
      return try database.outcome(of: place.value("run"), stage: place.value("stage"), n: place.value("n"))
    }
  }

  /// How a stage of a run ended that ended well, and what it left; `nil` where it did not.
  package func outcome(of run: RunID, stage: String) async throws -> RememberedOutcome? {
    try await read { database in
      let place = try Row.fetchOne(
        database,
        sql: """
          SELECT attempt.run, attempt.n FROM run JOIN attempt ON attempt.run = run.number
          WHERE run.id = ? AND attempt.stage = ? AND attempt.state IN ('ok', 'cached', 'skipped')
          ORDER BY attempt.n DESC LIMIT 1
          """, arguments: [run.text, stage])
      guard let place else { return nil }
      return try database.outcome(of: place.value("run"), stage: stage, n: place.value("n"))
    }
  }

  /// How the attempts of a run stand to the cache, by stage and number.
  package func reuse(of run: RunID) async throws -> [String: [Int: Reuse]] {
    try await read { database in
      var found: [String: [Int: Reuse]] = [:]
      let rows = try Row.fetchAll(
        database,
        sql: """
          SELECT reuse.stage, reuse.n, \(Reuse.columns) FROM run JOIN reuse ON reuse.run = run.number WHERE run.id = ?
          """, arguments: [run.text])
      for row in rows {
        try found[row.value("stage"), default: [:]][row.value("n")] = Reuse(row: row)
      }
      return found
    }
  }

  /// Earlier attempts of a stage whose parts are known, the newest first: of the latest `runs` of the pipeline.
  package func earlierParts(
    of stage: String, in pipeline: String, before number: Int, runs: Int = 20
  ) async throws -> [(number: Int, reuse: Reuse)] {
    try await read { database in
      try Row.fetchAll(
        database,
        sql: """
          WITH latest (number) AS (
            SELECT number FROM run INDEXED BY run_by_pipeline WHERE pipeline = ? AND number < ?
            ORDER BY number DESC LIMIT ?)
          SELECT latest.number AS number, \(Reuse.columns) FROM latest CROSS JOIN reuse
            ON reuse.run = latest.number AND reuse.stage = ?
          WHERE reuse.parts IS NOT NULL ORDER BY latest.number DESC, reuse.n DESC
          """, arguments: [pipeline, number, runs, stage]
      ).map { (try $0.value("number"), try Reuse(row: $0)) }
    }
  }
}

extension Database {
  fileprivate func outcome(of number: Int, stage: String, n: Int) throws -> RememberedOutcome? {
    let attempt = try attempts(
      """
      SELECT \(Attempt.columns) FROM run JOIN attempt ON attempt.run = run.number
      WHERE run.number = ? AND attempt.stage = ? AND attempt.n = ?
      """, [number, stage, n]
    ).first
    guard let attempt else { return nil }
    let reuse = try Row.fetchOne(
      cachedStatement(sql: "SELECT \(Reuse.columns) FROM reuse WHERE run = ? AND stage = ? AND n = ?"),
      arguments: [number, stage, n])
    let artifacts = try Row.fetchAll(
      cachedStatement(sql: "SELECT * FROM artifact WHERE run = ? AND stage = ? ORDER BY rowid"),
      arguments: [number, stage]
    ).map(Artifact.init)
    return RememberedOutcome(
      run: attempt.run, number: number, attempt: attempt, artifacts: artifacts,
      reuse: try reuse.map(Reuse.init) ?? Reuse())
  }
}
