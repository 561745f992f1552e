package import Core
import GRDB

extension StateReader {
  /// What stages made of the items from an index on, `count` places, by stage and index.
  package func outcomes(
    of run: RunID, stages: [String], from index: Int, count: Int
  ) async throws -> [String: [Int: ItemOutcome]] {
    try await read { database in
      var found: [String: [Int: ItemOutcome]] = [:]
      for stage in stages {
        let rows = try Row.fetchAll(
          database.cachedStatement(
            sql: """
              SELECT \(ItemOutcome.columns) FROM run JOIN item ON item.run = run.number
              WHERE run.id = ? AND item.stage = ? AND item."index" >= ? AND item."index" < ?
              """), arguments: [run.text, stage, index, index + count])
        found[stage] = Dictionary(try rows.map(ItemOutcome.init(row:)).map { ($0.index, $0) }) { $1 }
      }
      return found
    }
  }

  /// What a stage made of its items, in their order.
  /// - Parameters:
  ///   - after: the index where the page before ended.
  ///   - failed: only those that failed, or only those that did not; `nil` for all.
  package func items(
    of run: RunID, stage: String, after: Int = -1, failed: Bool? = nil, limit: Int
  ) async throws -> [ItemOutcome] {
    let filter =
      switch failed {
      case nil: ""
      case true?: "AND item.state = 'failed'"
      case false?: "AND item.state <> 'failed'"
      }
    let source = failed == true ? "item INDEXED BY item_failed" : "item"
    return try await read { database in
      try Row.fetchAll(
        database.cachedStatement(
          sql: """
            SELECT \(ItemOutcome.columns) FROM run CROSS JOIN \(source) ON item.run = run.number
            WHERE run.id = ? AND item.stage = ? AND item."index" > ? \(filter) ORDER BY item."index" LIMIT ?
            """), arguments: [run.text, stage, after, limit]
      ).map(ItemOutcome.init(row:))
    }
  }

  /// How far the fan-out stages of a run have come, by stage.
  package func itemProgress(of run: RunID) async throws -> [String: ItemProgress] {
    try await read { database in
      let rows = try Row.fetchAll(
        database.cachedStatement(
          sql: """
            SELECT item_progress.* FROM run JOIN item_progress ON item_progress.run = run.number WHERE run.id = ?
            """), arguments: [run.text])
      return Dictionary(try rows.map(ItemProgress.init(row:)).map { ($0.stage, $0) }) { $1 }
    }
  }
}
