package import Core
package import Foundation
import GRDB

extension StateStore {
  /// A person has seen how these runs went wrong; those that did not, or were acknowledged before, stay as they are.
  /// - Returns: how many it is news of.
  @discardableResult
  package func acknowledge(_ runs: [RunID], at now: Date) async throws -> Int {
    try await perform { database in try runs.reduce(0) { $0 + (try database.acknowledge($1, at: now) ? 1 : 0) } }
  }

  /// Records a run that repeats another on the same drop, and acknowledges that one: both or none.
  ///
  /// - Throws: `StoreError.conflict` where another run repeats it already.
  package func claim(_ run: Run, repeating earlier: RunID) async throws -> Run {
    try await perform { database in
      var run = run
      run.rerunOf = earlier
      if let known = try database.repetition(of: earlier) {
        if known.id == run.id { return known }
        throw StoreError.conflict("run \(known.number) is the second try of that run already")
      }
      guard try database.insert(run) else { return try database.run(run.id) ?? run }
      run.number = Int(database.lastInsertedRowID)
      _ = try database.acknowledge(earlier, at: run.created)
      return run
    }
  }
}

extension Database {
  fileprivate func acknowledge(_ run: RunID, at now: Date) throws -> Bool {
    try self.run(
      """
      UPDATE run SET acknowledged = 1, acknowledged_at = ?
      WHERE id = ? AND acknowledged = 0 AND state IN ('failed', 'cancelled', 'quarantined')
      """,
      [now.milliseconds, run.text])
    return changesCount == 1
  }

  /// The run with a drop of its own that repeats another.
  func repetition(of run: RunID) throws -> Run? {
    try runs(
      "SELECT \(Run.columns) FROM run INDEXED BY run_repeats WHERE rerun_of = ? AND drop_name IS NOT NULL LIMIT 1",
      [run.text]
    ).first
  }
}
