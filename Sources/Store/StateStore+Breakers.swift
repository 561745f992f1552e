package import Core
import Foundation
import GRDB

/// What the end of an attempt does to the breaker of its stage.
package enum BreakerMark: Sendable, Equatable {
  case failed(stage: String, reason: String)
  case passed(stage: String)
}

extension Database {
  func mark(_ marks: [BreakerMark], number: Int, at now: Date) throws {
    for mark in marks {
      switch mark {
      case .failed(let stage, let reason):
        try run(
          """
          INSERT INTO breaker (pipeline, stage, failures, failed, reason)
          SELECT pipeline, ?, 1, ?, ? FROM run WHERE number = ?
          ON CONFLICT DO UPDATE SET failures = failures + 1, failed = excluded.failed, reason = excluded.reason
          """, [stage, now.milliseconds, reason.storable, number])
      case .passed(let stage):
        try run(
          "DELETE FROM breaker WHERE stage = ? AND pipeline = (SELECT pipeline FROM run WHERE number = ?)",
          [stage, number])
      }
    }
  }
}

extension StateReader {
  /// The breaker of one stage; `nil` where its last attempt did not fail.
  package func breaker(of stage: String, in pipeline: String) async throws -> BreakerState? {
    try await read { database in
      try Row.fetchOne(
        database, sql: "SELECT * FROM breaker WHERE pipeline = ? AND stage = ?", arguments: [pipeline, stage]
      ).map(BreakerState.init)
    }
  }

  /// Every stage with a breaker whose last attempt failed.
  package func breakers() async throws -> [BreakerState] {
    try await read { database in
      try Row.fetchAll(database, sql: "SELECT * FROM breaker ORDER BY pipeline, stage").map(BreakerState.init)
    }
  }
}

extension BreakerState {
  fileprivate init(row: Row) throws {
    self.init(
      pipeline: try row.value("pipeline"), stage: try row.value("stage"), failures: try row.value("failures"),
      failed: try row.requiredDate("failed"), reason: try row.value("reason"))
  }
}
