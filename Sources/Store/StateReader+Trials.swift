package import Core
package import Foundation
import GRDB

extension StateReader {
  /// Trials, the newest first.
  package func trials(pipeline: String? = nil, limit: Int = .max) async throws -> [Trial] {
    try await read { database in
      let filter = pipeline == nil ? "" : "WHERE pipeline = ?"
      let arguments: [(any DatabaseValueConvertible)?] = pipeline.map { [$0, limit] } ?? [limit]
      return try Row.fetchAll(
        database, sql: "SELECT * FROM trial \(filter) ORDER BY number DESC LIMIT ?",
        arguments: StatementArguments(arguments)
      ).map(Trial.init)
    }
  }

  /// `nil` where there is none.
  package func trial(number: Int) async throws -> Trial? {
    try await read { try Trial(number: number, in: $0) }
  }

  /// Every trial that is not ended.
  package func openTrials() async throws -> [Trial] {
    try await read { database in
      try Row.fetchAll(
        database,
        sql: "SELECT * FROM trial INDEXED BY trial_open WHERE ended IS NULL AND origin <> 'watch' ORDER BY pipeline"
      ).map(Trial.init)
    }
  }

  /// The trial of a pipeline that is not ended; `nil` where there is none.
  package func openTrial(of pipeline: String) async throws -> Trial? {
    try await read { try $0.openTrial(of: pipeline) }
  }

  /// The evaluations of a trial, in the order they were begun.
  /// - Parameter scores: with the scores of their rows.
  package func observations(of trial: Int, scores: Bool = false) async throws -> [TrialObservation] {
    try await read { database in
      let columns = scores ? "*" : TrialObservation.columns
      return try Row.fetchAll(
        database, sql: "SELECT \(columns) FROM observation WHERE trial = ? ORDER BY n", arguments: [trial]
      ).map(TrialObservation.init)
    }
  }

  /// The looks at the arm in force that were begun since a moment, the oldest first.
  package func watches(of pipeline: String, since moment: Date) async throws -> [Trial] {
    try await read { database in
      try Row.fetchAll(
        database,
        sql: "SELECT * FROM trial WHERE pipeline = ? AND origin = 'watch' AND created >= ? ORDER BY number",
        arguments: [pipeline, moment.milliseconds]
      ).map(Trial.init)
    }
  }

  /// What a stage said of a metric in the done runs that began since a moment, the oldest first; at most `limit`.
  package func scores(
    _ metric: String, by stage: String, of pipeline: String, since moment: Date, limit: Int
  ) async throws -> [(at: Date, value: Double)] {
    try await read { database in
      let rows = try Row.fetchAll(
        database,
        sql: """
          WITH recent (number, started) AS (
            SELECT number, started FROM run INDEXED BY run_by_pipeline_state WHERE pipeline = ? AND state = 'done'
            ORDER BY number DESC LIMIT ?)
          SELECT recent.started AS at, attempt.metrics FROM recent CROSS JOIN attempt ON attempt.run = recent.number
          WHERE recent.started >= ? AND attempt.stage = ? AND attempt.state IN ('ok', 'cached')
          ORDER BY recent.number
          """, arguments: [pipeline, limit, moment.milliseconds, stage])
      return try rows.compactMap { row in
        let metrics: [String: JSON] = try row.json("metrics")
        return metrics[metric]?.double.map { (try? row.requiredDate("at"), $0) }.flatMap { at, value in
          at.map { (at: $0, value: value) }
        }
      }
    }
  }

  /// CPU seconds that the trials of a pipeline have used since a moment.
  package func trialSpending(of pipeline: String, since moment: Date) async throws -> Double {
    try await read { database in
      try Double.fetchOne(
        database,
        sql: """
          SELECT total(observation.spent_s) FROM trial JOIN observation ON observation.trial = trial.number
          WHERE trial.pipeline = ? AND observation.ended >= ?
          """,
        arguments: [pipeline, moment.milliseconds]) ?? 0
    }
  }

  /// The last stage, in the order of `stages`, whose attempt in the latest done run gave this metric.
  package func stageGiving(_ metric: String, of pipeline: String, among stages: [String]) async throws -> String? {
    guard let run = try await runs(pipeline: pipeline, state: .done, limit: 1).first else { return nil }
    let giving = Set(try await attempts(of: run.id).filter { $0.metrics[metric]?.double != nil }.map(\.stage))
    return stages.last { giving.contains($0) }
  }
}
