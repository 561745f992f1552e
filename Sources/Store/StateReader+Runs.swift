package import Core
import GRDB

extension StateReader {
  /// The run a person means.
  /// - Throws: `StoreError.noRun`, or `.ambiguous` with up to five of the runs that begin like this.
  package func run(matching reference: RunReference) async throws -> Run {
    let found = try await read { database in
      switch reference {
      case .number(let number):
        try database.runs("SELECT \(Run.columns) FROM run WHERE number = ?", [number])
      case .id(let id):
        try database.runs("SELECT \(Run.columns) FROM run WHERE id = ?", [id.text])
      case .prefix(let prefix):
        // `g` comes after every character of an id.
        try database.runs(
          "SELECT \(Run.columns) FROM run WHERE id >= ? AND id < ? ORDER BY id LIMIT 5",
          [prefix, prefix + "g"])
      case .last:
        try database.runs("SELECT \(Run.columns) FROM run WHERE number > 0 ORDER BY number DESC LIMIT 1")
      }
    }
    guard let run = found.first else { throw StoreError.noRun(reference) }
    guard found.count == 1 else { throw StoreError.ambiguous(reference, candidates: found) }
    return run
  }

  /// Runs looked up in one transaction.
  private static let page = 1000

  /// Runs, the newest first; `before` is the number where the page before this one ended.
  ///
  /// Many are read in several transactions, each on the state of its moment.
  package func runs(
    pipeline: String? = nil, state: RunState? = nil, limit: Int, before: Int = .max
  ) async throws -> [Run] {
    var (found, before) = ([Run](), before)
    while found.count < limit {
      let wanted = min(Self.page, limit - found.count)
      let page = try await page(pipeline, state, limit: wanted, before: before)
      found += page
      guard page.count == wanted, let last = page.last else { break }
      before = last.number
    }
    return found
  }

  private func page(_ pipeline: String?, _ state: RunState?, limit: Int, before: Int) async throws -> [Run] {
    let filter =
      switch (pipeline, state) {
      case (nil, nil): "WHERE number < :before"
      case (_, nil): "INDEXED BY run_by_pipeline WHERE pipeline = :pipeline AND number < :before"
      case (nil, _): "INDEXED BY run_by_state WHERE state = :state AND number < :before"
      case (_, _):
        "INDEXED BY run_by_pipeline_state WHERE pipeline = :pipeline AND state = :state AND number < :before"
      }
    let sql = "SELECT \(Run.columns) FROM run \(filter) ORDER BY number DESC LIMIT :limit"
    var arguments: [String: (any DatabaseValueConvertible)?] = ["before": before, "limit": limit]
    if let pipeline { arguments["pipeline"] = pipeline }
    if let state { arguments["state"] = state.rawValue }
    let bound = StatementArguments(arguments)
    return try await read { try $0.runs(sql, bound) }
  }

  /// The context as the hooks before the run made it; what stages put there stands with their attempts.
  package func context(of run: RunID) async throws -> JSON {
    try await read { database in
      guard
        let row = try Row.fetchOne(
          database, sql: "SELECT context FROM run WHERE id = ?", arguments: [run.text])
      else { throw StoreError.noRun(.id(run)) }
      return try row.json("context")
    }
  }

  /// In the order they began.
  package func attempts(of run: RunID) async throws -> [Attempt] {
    try await read { database in
      try database.attempts(
        """
        SELECT \(Attempt.columns) FROM run JOIN attempt ON attempt.run = run.number
        WHERE run.id = ? ORDER BY attempt.rowid
        """,
        [run.text])
    }
  }

  /// In the order they were made.
  package func hookCalls(of run: RunID) async throws -> [HookCall] {
    try await read { database in
      try Row.fetchAll(
        database,
        sql: """
          SELECT hook_call.* FROM run JOIN hook_call ON hook_call.run = run.number
          WHERE run.id = ? ORDER BY hook_call.id
          """,
        arguments: [run.text]
      ).map { try HookCall(row: $0, run: run) }
    }
  }

  /// In the order they were made.
  package func artifacts(of run: RunID) async throws -> [Artifact] {
    try await read { database in
      try Row.fetchAll(
        database,
        sql: """
          SELECT artifact.* FROM run JOIN artifact ON artifact.run = run.number
          WHERE run.id = ? ORDER BY artifact.rowid
          """,
        arguments: [run.text]
      ).map(Artifact.init(row:))
    }
  }

  package func artifacts(of run: RunID, stage: String) async throws -> [Artifact] {
    try await artifacts(of: run).filter { $0.stage == stage }
  }

  /// What the stages of a run have left so far, by stage.
  package func outputsSoFar(_ run: RunID) async throws -> [String: [Artifact]] {
    Dictionary(grouping: try await artifacts(of: run), by: \.stage)
  }

  /// A version as it was registered.
  /// - Returns: `nil` where it never was.
  package func version(digest: String) async throws -> PipelineVersion? {
    try await read { database in
      guard
        let row = try Row.fetchOne(
          database, sql: "SELECT * FROM pipeline_version WHERE digest = ?", arguments: [digest])
      else { return nil }
      return try PipelineVersion(
        digest: row.value("digest"), pipeline: row.json("resolved"),
        source: row.value("source"),
        path: row.value("path"), loaded: row.requiredDate("created"))
    }
  }

  /// Whether this content of a pipeline's file has begun its run.
  package func hasConfigRun(version digest: String, of pipeline: String) async throws -> Bool {
    try await read { database in
      try Bool.fetchOne(
        database,
        sql: """
          SELECT EXISTS (SELECT 1 FROM run WHERE pipeline = ? AND version = ? AND "trigger" = 'config')
          """,
        arguments: [pipeline, digest]) ?? false
    }
  }
}
