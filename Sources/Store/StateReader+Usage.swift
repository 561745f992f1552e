import Core
package import Foundation
import GRDB

/// What the runs of a pipeline used of the processor.
extension StateReader {
  /// Runs that are looked at one by one.
  private static let most = 1000

  /// CPU seconds of the runs of a pipeline that began in a span of time; where they are very many the newest of them stand
  /// for all.
  /// - Parameter stages: only of these; `nil` is all.
  package func cpuTime(
    of pipeline: String, from: Date, to: Date, stages: [String]? = nil
  ) async throws -> Double {
    try await read { database in
      let (first, end) = (try database.firstRun(since: from), try database.firstRun(since: to))
      let count =
        try Int.fetchOne(
          database,
          sql: "SELECT count(*) FROM run INDEXED BY run_by_pipeline WHERE pipeline = ? AND number >= ? AND number < ?",
          arguments: [pipeline, first, end]) ?? 0
      let filter = stages == nil ? "" : "WHERE attempt.stage IN (SELECT value FROM json_each(?))"
      let named: [(any DatabaseValueConvertible)?] = try stages.map { [try $0.text()] } ?? []
      let sum =
        try Double.fetchOne(
          database,
          sql: """
            WITH recent (number) AS (
              SELECT number FROM run INDEXED BY run_by_pipeline WHERE pipeline = ? AND number >= ? AND number < ?
              ORDER BY number DESC LIMIT \(Self.most))
            SELECT total(attempt.cpu_s) FROM recent CROSS JOIN attempt ON attempt.run = recent.number \(filter)
            """, arguments: StatementArguments([pipeline, first, end] + named)) ?? 0
      return count > Self.most ? sum * Double(count) / Double(Self.most) : sum
    }
  }

  /// CPU seconds of these stages in the latest done run of a pipeline; `nil` where there is none.
  package func latestCPUTime(of stages: [String], of pipeline: String) async throws -> Double? {
    guard let run = try await runs(pipeline: pipeline, state: .done, limit: 1).first else { return nil }
    let own = try await attempts(of: run.id).filter { stages.contains($0.stage) }
    return own.reduce(0) { $0 + ($1.usage?.cpu ?? 0) }
  }
}

extension Database {
  /// The number of the first run that began then or later; beyond all where there is none.
  fileprivate func firstRun(since moment: Date) throws -> Int {
    try Int.fetchOne(
      self, sql: "SELECT number FROM run WHERE id >= ? ORDER BY id LIMIT 1",
      arguments: [RunID(earliest: moment).text]) ?? .max
  }
}
