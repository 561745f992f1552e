package import Core
package import Foundation
import GRDB

extension StateStore {
  /// Items copied in one transaction: others wait for it.
  private static let page = 5000

  /// Begins the progress of fan-out stages: what failed before is tried again, the rest is kept.
  /// - Parameter total: the items that are to come; `nil` where that is not known.
  package func openItems(of run: RunID, stages: [String], total: Int?) async throws {
    try await perform(.soon(.items)) { database in
      let number = try database.place(of: run).number
      for stage in stages {
        try database.run(
          """
          INSERT OR REPLACE INTO item_progress (run, stage, total, ok, skipped, kept)
          SELECT ?1, ?2, ?3, coalesce(sum(state = 'ok'), 0), coalesce(sum(state = 'skipped'), 0),
            coalesce(sum(state <> 'failed'), 0)
          FROM item WHERE run = ?1 AND stage = ?2
          """,
          [number, stage, total])
      }
    }
  }

  /// Records what became of items, and counts them.
  package func record(_ outcomes: [ItemOutcome], of run: RunID, at now: Date) async throws {
    if outcomes.isEmpty { return }
    try await perform { database in
      let number = try database.place(of: run).number
      var counts: [String: [ItemState: Int]] = [:]
      for outcome in outcomes {
        try database.insert(outcome, number: number, at: now.milliseconds)
        counts[outcome.stage, default: [:]][outcome.state, default: 0] += 1
      }
      for (stage, counts) in counts {
        try database.run(
          """
          UPDATE item_progress SET ok = ok + ?, failed = failed + ?, skipped = skipped + ? WHERE run = ? AND stage = ?
          """,
          [counts[.ok] ?? 0, counts[.failed] ?? 0, counts[.skipped] ?? 0, number, stage])
      }
    }
  }

  /// Sets how many items came into a stage, now that it is known.
  package func setTotal(_ totals: [String: Int], of run: RunID) async throws {
    try await perform(.soon(.items)) { database in
      let number = try database.place(of: run).number
      for (stage, total) in totals {
        try database.run("UPDATE item_progress SET total = ? WHERE run = ? AND stage = ?", [total, number, stage])
      }
    }
  }

  /// Gives a new run what an earlier one made of its items, but for the failures: they stand where the stage is given
  /// the same item again.
  package func takeOverItems(of stages: [String], from earlier: RunID, to run: RunID) async throws {
    for stage in stages {
      var after = -1
      while let last = try await copyItems(of: stage, from: earlier, to: run, after: after) { after = last }
    }
  }

  /// - Returns: the last index copied; `nil` where none is left.
  private func copyItems(of stage: String, from earlier: RunID, to run: RunID, after: Int) async throws -> Int? {
    try await perform { database in
      let (source, number) = (try database.place(of: earlier).number, try database.place(of: run).number)
      let last = try Int.fetchOne(
        database.cachedStatement(
          sql: """
            SELECT max("index") FROM (
              SELECT "index" FROM item WHERE run = ? AND stage = ? AND "index" > ? ORDER BY "index" LIMIT ?)
            """), arguments: [source, stage, after, Self.page])
      guard let last else { return nil }
      try database.run(
        """
        INSERT OR IGNORE INTO item (run, stage, "index", id, state, tries, reason, data, digest, ended)
        SELECT ?, stage, "index", id, state, tries, reason, data, digest, ended FROM item
        WHERE run = ? AND stage = ? AND "index" > ? AND "index" <= ? AND state <> 'failed'
        """,
        [number, source, stage, after, last])
      return last
    }
  }
}

extension StateStore {
  /// Forgets outcomes that are about other items than those that come now.
  package func discard(_ outcomes: [ItemOutcome], of run: RunID) async throws {
    if outcomes.isEmpty { return }
    try await perform { database in
      let number = try database.place(of: run).number
      for outcome in outcomes {
        try database.run(
          #"DELETE FROM item WHERE run = ? AND stage = ? AND "index" = ?"#, [number, outcome.stage, outcome.index])
      }
      for stage in Set(outcomes.map(\.stage)) {
        let own = outcomes.filter { $0.stage == stage }
        try database.uncount(
          number, stage, ok: own.count { $0.state == .ok }, skipped: own.count { $0.state == .skipped })
      }
    }
  }

  /// The same for all from an index on.
  package func discardItems(of run: RunID, stages: [String], from index: Int) async throws {
    try await perform { database in
      let number = try database.place(of: run).number
      for stage in stages {
        let counts = try Row.fetchOne(
          database.cachedStatement(
            sql: """
              SELECT coalesce(sum(state = 'ok'), 0) AS ok, coalesce(sum(state = 'skipped'), 0) AS skipped
              FROM item WHERE run = ? AND stage = ? AND "index" >= ?
              """), arguments: [number, stage, index])
        try database.run(
          #"DELETE FROM item WHERE run = ? AND stage = ? AND "index" >= ?"#, [number, stage, index])
        try database.uncount(number, stage, ok: counts?["ok"] ?? 0, skipped: counts?["skipped"] ?? 0)
      }
    }
  }
}

extension Database {
  /// Takes what an earlier attempt did out of the progress of a stage.
  fileprivate func uncount(_ number: Int, _ stage: String, ok: Int, skipped: Int) throws {
    if ok + skipped == 0 { return }
    try run(
      """
      UPDATE item_progress SET ok = ok - ?, skipped = skipped - ?, kept = kept - ? WHERE run = ? AND stage = ?
      """, [ok, skipped, ok + skipped, number, stage])
  }
}
