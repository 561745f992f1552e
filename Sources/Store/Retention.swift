package import Core
package import Foundation
import GRDB

/// What old runs may be forgotten; drops and files are not the store's to remove.
package struct Retention: Sendable, Equatable {
  /// Runs that ended before this may go.
  package var before: Date
  /// So many of the newest runs stay of each pipeline and state, however old: history, forecasts and the last
  /// word of `status` come from them.
  package var keeping: Int

  package init(before: Date, keeping: Int = 10) {
    self.before = before
    self.keeping = max(1, keeping)
  }
}

/// Some of the runs that may be forgotten, and where to look on.
package struct ExpiredRuns: Sendable, Equatable {
  package var runs: [Run]
  /// `after` of the next page; `nil` where no later run can be old enough.
  package var next: Int?
}

/// What is owed or still needed never goes: an open run, a drop that is not filed, a quarantine nobody has
/// acknowledged, a run that an open one repeats, the latest done drop of each kind.
private let disposable = """
  run.state IN ('done', 'failed', 'cancelled', 'quarantined')
  AND (run.filed = 1 OR run.drop_name IS NULL)
  AND NOT (run.state = 'quarantined' AND run.acknowledged = 0)
  AND run.id NOT IN (SELECT later.rerun_of FROM run AS later INDEXED BY run_open
    WHERE later.state IN ('queued', 'running', 'waiting') AND later.rerun_of IS NOT NULL)
  AND NOT (run.state = 'done' AND run.drop_name IS NOT NULL AND run.number = (
    SELECT max(number) FROM run AS same INDEXED BY run_done_drop
    WHERE same.state = 'done' AND same.drop_name IS NOT NULL
      AND same.pipeline = run.pipeline AND same.captures = run.captures))
  """

extension StateReader {
  /// Runs looked at in one transaction.
  private static let page = 1000

  /// The next runs that may be forgotten, the oldest first: a page of the history is looked at each time, so that
  /// no reader is long.
  /// - Parameter after: the number where the page before ended.
  package func expired(_ retention: Retention, after: Int = 0) async throws -> ExpiredRuns {
    try await read { database in
      let rows = try Row.fetchAll(
        database.cachedStatement(
          sql: """
            SELECT \(Run.columns), run.created >= :before AS is_young, run.ended < :before AND \(disposable)
              AND run.number <= coalesce((SELECT number FROM run AS newer INDEXED BY run_by_pipeline_state
                WHERE newer.pipeline = run.pipeline AND newer.state = run.state
                ORDER BY number DESC LIMIT 1 OFFSET :keeping), 0) AS is_disposable
            FROM run WHERE run.number > :after ORDER BY run.number LIMIT :page
            """),
        arguments: [
          "before": retention.before.milliseconds, "keeping": retention.keeping, "after": after, "page": Self.page,
        ])
      // numbers follow the time of creation, but for a clock that was set: one page without an old run is the end
      let isLast = rows.count < Self.page || rows.allSatisfy { $0["is_young"] }
      return ExpiredRuns(
        runs: try rows.filter { $0["is_disposable"] }.map(Run.init(row:)),
        next: isLast ? nil : rows.last?["number"])
    }
  }
}

extension StateStore {
  /// Rows a transaction deletes runs of: others wait for it.
  private static let batch = 100
  private static let itemBatch = 5000

  /// Forgets runs with their attempts, hook calls and artifacts, a few at a time; the counters follow.
  ///
  /// A run that may not go, or is gone already, is passed over. What lies in `var/runs/` must go first: a directory
  /// without a row is garbage to `gc`, a row without its directory is a report that cannot be opened.
  /// - Returns: how many went.
  @discardableResult
  package func forget(runs: [RunID]) async throws -> Int {
    var gone = 0
    for start in stride(from: 0, to: runs.count, by: Self.batch) {
      let batch = runs[start..<min(start + Self.batch, runs.count)]
      for run in batch { try await forgetItems(of: run) }
      gone += try await perform { database in
        var gone = 0
        for run in batch {
          try database.run("DELETE FROM run WHERE run.id = ? AND \(disposable)", [run.text])
          gone += database.changesCount
        }
        return gone
      }
    }
    return gone
  }

  /// Forgets the items of a run that may go, some at a time: with the run itself they would hold up all others.
  private func forgetItems(of run: RunID) async throws {
    var left = try await reader.itemProgress(of: run).values.map { (stage: $0.stage, from: 0) }
    while let (stage, from) = left.popLast() {
      let next = try await perform { database in
        try database.run(
          """
          DELETE FROM item WHERE stage = ? AND "index" >= ? AND "index" < ?
            AND run = (SELECT run.number FROM run WHERE run.id = ? AND \(disposable))
          """, [stage, from, from + Self.itemBatch, run.text])
        return database.changesCount > 0 ? from + Self.itemBatch : nil
      }
      if let next { left.append((stage, next)) }
    }
  }
}
