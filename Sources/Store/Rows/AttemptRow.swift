import Core
import Foundation
import GRDB

extension Attempt {
  /// Needs `run` joined in.
  static let columns = """
    run.id AS run_id, attempt.stage, attempt.n, attempt.state, attempt.granularity,
    attempt.granularity_authority, attempt.granularity_reason, attempt.sample, attempt.seed, attempt.started,
    attempt.ended, attempt."exit", attempt.signal, attempt.unstarted, attempt.wall_s, attempt.cpu_s,
    attempt.rss_bytes, attempt.reason, attempt.metrics, attempt.data, attempt.boot,
    attempt.error_class, attempt.error_code, attempt.again, attempt.context
    """

  init(row: Row) throws {
    self.init(
      run: try row.runID("run_id"), stage: try row.value("stage"), n: try row.value("n"),
      state: try row.word("state"),
      granularity: GranularityOpinion(
        try row.word("granularity_authority"), try row.word("granularity"),
        reason: try row.value("granularity_reason")),
      sample: row["sample"], seed: try row.value("seed"), started: try row.requiredDate("started"),
      ended: row.date("ended"), termination: row.termination(), usage: row.usage(), reason: row["reason"],
      metrics: try row.json("metrics"), data: try row.json("data"),
      contextPatches: try row.patches("context"), error: try StageError(row: row), again: row.date("again"),
      boot: try row.value("boot"))
  }
}

private let insertion = """
  INSERT INTO attempt (run, stage, n, state, granularity, granularity_authority, granularity_reason, sample, seed,
    started, ended, "exit", signal, unstarted, wall_s, cpu_s, rss_bytes, reason, metrics, data, boot, error_class,
    error_code, again, context)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  """

private let closing = """
  \(insertion) ON CONFLICT DO UPDATE SET state = excluded.state, granularity = excluded.granularity,
    granularity_authority = excluded.granularity_authority, granularity_reason = excluded.granularity_reason,
    sample = excluded.sample, seed = excluded.seed, ended = excluded.ended, "exit" = excluded."exit",
    signal = excluded.signal, unstarted = excluded.unstarted, wall_s = excluded.wall_s, cpu_s = excluded.cpu_s,
    rss_bytes = excluded.rss_bytes, reason = excluded.reason, metrics = excluded.metrics, data = excluded.data,
    error_class = excluded.error_class, error_code = excluded.error_code, again = excluded.again,
    context = excluded.context
  """

extension Database {
  /// Writes an attempt that begins.
  func insert(_ attempt: Attempt, number: Int) throws {
    try run(insertion, try values(attempt, number))
  }

  /// Writes the end of an attempt, begun before or not.
  func close(_ attempt: Attempt, number: Int) throws {
    guard attempt.state != .running else {
      throw StoreError.conflict("attempt \(attempt.n) of `\(attempt.stage)` is closed as `running`")
    }
    try run(closing, try values(attempt, number))
    if let reuse = attempt.reuse { try insert(reuse, of: attempt, number: number) }
  }

  private func values(_ attempt: Attempt, _ number: Int) throws -> [(any DatabaseValueConvertible)?] {
    [
      number, attempt.stage, attempt.n, attempt.state.rawValue, attempt.granularity.level.rawValue,
      attempt.granularity.authority.rawValue, attempt.granularity.reason.storable, attempt.sample,
      attempt.seed,
      attempt.started.milliseconds, attempt.ended?.milliseconds, attempt.termination?.exit,
      attempt.termination?.signal, attempt.termination?.unstarted, attempt.usage?.wall, attempt.usage?.cpu,
      attempt.usage?.peakRSS, attempt.reason?.storable, try attempt.metrics.text(), try attempt.data.text(),
      attempt.boot, attempt.error?.class.rawValue, attempt.error?.code, attempt.again?.milliseconds,
      attempt.contextPatches.isEmpty ? nil : try JSON.array(attempt.contextPatches).line(),
    ]
  }
}

extension Row {
  fileprivate func patches(_ column: String) throws -> [JSON] {
    guard let text = self[column] as String? else { return [] }
    return try JSON(parsing: Array(text.utf8)).array ?? []
  }
}

extension StageError {
  fileprivate init?(row: Row) throws {
    guard let code = row["error_code"] as String? else { return nil }
    self.init(class: try row.word("error_class"), code: code)
  }
}
