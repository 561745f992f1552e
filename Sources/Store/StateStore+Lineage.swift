package import Core
import Foundation
import GRDB

/// A copied drop whose source still lies in the inbox.
package struct LeavingSource: Sendable, Equatable {
  package var run: Run
  /// The source as it was when it was copied.
  package var sample: FileSample

  package init(run: Run, sample: FileSample) {
    self.run = run
    self.sample = sample
  }
}

extension StateStore {
  /// The sources of these runs are gone from the inbox: the runs may begin.
  package func sourcesRemoved(_ runs: [RunID]) async throws {
    try await perform { database in
      for run in runs {
        try database.run("DELETE FROM source WHERE run = (SELECT number FROM run WHERE id = ?)", [run.text])
      }
    }
  }
}

extension StateReader {
  /// Runs that may not begin, for the source of their drop is still in the inbox.
  package func leavingSources() async throws -> [LeavingSource] {
    try await read { database in
      try Row.fetchAll(
        database,
        sql: """
          SELECT \(Run.columns), source.device, source.inode, source.bytes, source.modified
          FROM source CROSS JOIN run ON run.number = source.run
          """
      ).map { row in
        LeavingSource(
          run: try Run(row: row),
          sample: FileSample(
            device: UInt64(bitPattern: try row.value("device")), inode: UInt64(bitPattern: try row.value("inode")),
            bytes: try row.value("bytes"), links: 1, modified: try row.value("modified"), changed: 0))
      }
    }
  }

  /// The run that took a file which stays in the inbox; `nil` where none did.
  package func keeper(of name: FileName, _ sample: FileSample) async throws -> RunID? {
    try await read { try $0.keeper(of: name, sample).flatMap { RunID($0["run"] as String) } }
  }

  /// Of files in the inbox those that a run took and that stay there, each with the number of that run where it is
  /// remembered.
  package func kept(among drops: [(name: FileName, sample: FileSample)]) async throws -> [FileName: Int?] {
    try await read { database in
      var found: [FileName: Int?] = [:]
      for (name, sample) in drops {
        if let row = try database.keeper(of: name, sample) { found[name] = .some(row["number"]) }
      }
      return found
    }
  }

  /// The first done run of the same pipeline on the same content, other than the run itself.
  package func twin(of run: Run) async throws -> Run? {
    guard let digest = run.drop?.sha256 else { return nil }
    return try await read { database in
      try database.twin(pipeline: run.pipeline, sha256: digest, other: run.id).flatMap { try database.run($0) }
    }
  }

  /// Whether a run that may have made this drop is at work, and both are of pipelines that were in one of the longest
  /// lines there may be just now.
  ///
  /// What a run made is only known when its stage has ended. Its drop may be claimed before that, and its child have begun
  /// and made another: the runs at work in a quick loop are in no line yet.
  package func mayEndLine(_ run: Run) async throws -> Bool {
    try await read { try $0.mayEndLine(run) }
  }

  /// Whether its pipeline was in one of the longest lines just now, be anything at work or not.
  package func isInLongLine(_ run: Run) async throws -> Bool {
    try await read { try $0.mayEndLine(run, whateverIsAtWork: true) }
  }

  /// The runs that led to a run, its parent first: at most `limit`.
  package func ancestors(of run: RunID, limit: Int) async throws -> [RunID] {
    try await read { database in
      try String.fetchAll(
        database,
        sql: """
          WITH RECURSIVE line (id, n) AS (
            SELECT parent, 1 FROM run WHERE id = ?
            UNION ALL
            SELECT run.parent, n + 1 FROM line CROSS JOIN run ON run.id = line.id
            WHERE run.parent IS NOT NULL AND n < ?)
          SELECT id FROM line WHERE id IS NOT NULL ORDER BY n
          """, arguments: [run.text, limit]
      ).compactMap(RunID.init)
    }
  }
}

extension Database {
  /// `run`, the id of the run that took a file which stays in the inbox, and its `number`; `nil` where none did.
  fileprivate func keeper(of name: FileName, _ sample: FileSample) throws -> Row? {
    let statement = try cachedStatement(
      sql: """
        SELECT kept.run, run.number FROM kept LEFT JOIN run ON run.id = kept.run
        WHERE kept.name = ? AND kept.bytes = ? AND kept.modified = ?
        """)
    return try Row.fetchOne(statement, arguments: [Data(name.bytes), sample.bytes, sample.modified])
  }

  /// The kernel stamps files with a clock that lags by some milliseconds.
  private static let slack = 50
  /// Of so many runs the last of a line that goes on is one.
  private static let recent = 32

  /// Fills in what the rest of the state tells of a new drop: whose twin it is, and whose child.
  func trace(_ run: inout Run) throws {
    guard run.trigger == .drop, run.rerunOf == nil, let digest = run.drop?.sha256 else { return }
    if run.duplicateOf == nil {
      run.duplicateOf = try twin(pipeline: run.pipeline, sha256: digest, other: run.id)
    }
    if run.parent == nil, let arrived = run.drop?.arrived?.milliseconds {
      run.parent = try maker(sha256: digest, arrived: arrived, other: run.id)
    }
  }

  func mayEndLine(_ run: Run, whateverIsAtWork: Bool = false) throws -> Bool {
    guard run.trigger == .drop, run.rerunOf == nil, let arrived = run.drop?.arrived?.milliseconds else { return false }
    let statement = try cachedStatement(
      sql: """
        WITH RECURSIVE line (last, pipeline, above, n) AS (
          SELECT id, pipeline, parent, 0 FROM run
          WHERE number > (SELECT max(number) FROM run) - :recent AND parent IS NOT NULL
          UNION ALL
          SELECT line.last, run.pipeline, run.parent, n + 1 FROM line CROSS JOIN run ON run.id = line.above
          WHERE n < :deepest),
        loop (pipeline) AS (SELECT pipeline FROM line WHERE last IN (SELECT last FROM line WHERE n >= :deepest))
        SELECT :pipeline IN loop AND (:whatever OR EXISTS (
          SELECT 1 FROM attempt INDEXED BY attempt_running CROSS JOIN run ON run.number = attempt.run
          WHERE attempt.state = 'running' AND run.id <> :id AND run.started <= :arrived + :slack
            AND run.pipeline IN loop))
        """)
    let arguments: StatementArguments = [
      "id": run.id.text, "pipeline": run.pipeline, "arrived": arrived, "slack": Self.slack, "deepest": Lineage.deepest,
      "recent": Self.recent, "whatever": whateverIsAtWork,
    ]
    return try Bool.fetchOne(statement, arguments: arguments) ?? false
  }

  func twin(pipeline: String, sha256: String, other id: RunID) throws -> RunID? {
    let statement = try cachedStatement(
      sql: """
        SELECT id FROM run INDEXED BY run_by_digest
        WHERE drop_sha256 = ? AND pipeline = ? AND state = 'done' AND id <> ? ORDER BY number LIMIT 1
        """)
    return try String.fetchOne(statement, arguments: [sha256, pipeline, id.text]).flatMap(RunID.init)
  }

  /// The run whose stage had left these bytes when they came into the inbox, other bytes than those it was given.
  ///
  /// No process outlives its stage, so whatever a run's programs did, they did between its start and its end. That a
  /// run was given the same bytes proves nothing: a producer may drop equal files while it works. Of several the
  /// oldest: a run that drops ten equal files has ten children, not a line of ten.
  private func maker(sha256: String, arrived: Int, other id: RunID) throws -> RunID? {
    let statement = try cachedStatement(
      sql: """
        WITH made (run) AS (
          SELECT run FROM artifact INDEXED BY artifact_by_digest WHERE sha256 = :digest ORDER BY run DESC LIMIT 32)
        SELECT run.id FROM made CROSS JOIN run ON run.number = made.run
        WHERE run.id <> :id AND run.drop_sha256 IS NOT :digest AND run.started <= :arrived + :slack AND coalesce(run.ended, :arrived) >= :arrived - :slack
        ORDER BY run.number LIMIT 1
        """)
    let arguments: StatementArguments = ["digest": sha256, "arrived": arrived, "slack": Self.slack, "id": id.text]
    return try String.fetchOne(statement, arguments: arguments).flatMap(RunID.init)
  }

  /// A stage left what lies in the inbox, or was claimed from it, already: those drops are this run's children.
  func adoptChildren(of number: Int, id: RunID, made artifact: Artifact) throws {
    try run(
      """
      UPDATE run SET parent = ? WHERE number IN (
        SELECT number FROM (SELECT number FROM run INDEXED BY run_by_digest WHERE drop_sha256 = ?
          ORDER BY number DESC LIMIT 32)
        WHERE number > ?)
        AND parent IS NULL AND "trigger" = 'drop' AND rerun_of IS NULL
        AND arrived >= (SELECT started FROM run WHERE number = ?) - ?
        AND (SELECT drop_sha256 FROM run WHERE number = ?) IS NOT ?
      """,
      [id.text, artifact.sha256, number, number, Self.slack, number, artifact.sha256])
  }

  func insert(_ source: NewRun.Source, of run: Run) throws {
    guard let drop = run.drop else { return }
    switch source {
    case .leaving(let sample):
      try self.run(
        "INSERT INTO source (run, device, inode, bytes, modified) VALUES (?, ?, ?, ?, ?)",
        [
          run.number, Int64(bitPattern: sample.device), Int64(bitPattern: sample.inode), sample.bytes,
          sample.modified,
        ])
    case .kept:
      try self.run(
        "INSERT INTO kept (name, bytes, modified, sha256, run) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [Data(drop.name.bytes), drop.bytes, drop.modified ?? 0, drop.sha256 ?? "", run.id.text])
    }
  }
}
