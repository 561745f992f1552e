package import Core
package import Foundation
import GRDB

extension StateStore {
  /// Records a trial that begins and gives it its number.
  /// - Throws: `StoreError.conflict` where one of the pipeline is not ended yet.
  package func open(_ trial: Trial) async throws -> Trial {
    try await perform { database in
      let open = try Int.fetchOne(
        database, sql: "SELECT number FROM trial WHERE pipeline = ? AND ended IS NULL AND origin <> 'watch'",
        arguments: [trial.pipeline])
      if let open, trial.origin != .watch {
        throw StoreError.conflict("trial \(open) of pipeline `\(trial.pipeline)` is not ended yet")
      }
      try database.run(
        """
        INSERT INTO trial (id, pipeline, version, state, origin, data, definition, stage, rules, plan, created)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        [
          trial.id.text, trial.pipeline, trial.version, trial.state.rawValue, trial.origin.rawValue,
          try trial.data.text(), trial.definition, trial.stage, try trial.rules.text(), try trial.plan.line(),
          trial.created.milliseconds,
        ])
      var opened = trial
      opened.number = Int(database.lastInsertedRowID)
      return opened
    }
  }

  /// Records an evaluation that begins, and gives it its place in the order.
  package func begin(_ observation: TrialObservation) async throws -> TrialObservation {
    try await perform { database in
      var begun = observation
      begun.n =
        1
        + (try Int.fetchOne(
          database, sql: "SELECT max(n) FROM observation WHERE trial = ?", arguments: [observation.trial]) ?? 0)
      try database.run(
        """
        INSERT INTO observation (trial, n, arm, unit, state, cost_s, spent_s, began) VALUES (?, ?, ?, ?, ?, 0, 0, ?)
        """,
        [begun.trial, begun.n, begun.arm, begun.unit, begun.state.rawValue, begun.began.milliseconds])
      return begun
    }
  }

  /// Records how an evaluation ended, and where its trial stands with it, in one.
  package func end(_ observation: TrialObservation, _ standing: TrialStanding?, at now: Date) async throws {
    try await perform { database in
      try database.run(
        """
        UPDATE observation SET state = ?, quality = ?, metric = ?, cost_s = ?, spent_s = ?, scores = ?, rows = ?, reason = ?,
          ended = ? WHERE trial = ? AND n = ?
        """,
        [
          observation.state.rawValue, observation.quality, observation.metric, observation.cost, observation.spent,
          observation.scores, observation.rowKey, observation.reason?.storable, (observation.ended ?? now).milliseconds,
          observation.trial, observation.n,
        ])
      if let standing { try database.put(standing, on: observation.trial, at: now) }
    }
  }

  /// Records where a trial stands.
  /// - Returns: `false` where it has ended before; then it stays as it is.
  @discardableResult
  package func put(_ standing: TrialStanding, on trial: Int, at now: Date) async throws -> Bool {
    try await perform { try $0.put(standing, on: trial, at: now) }
  }

  /// Ends the open trial of a pipeline without a verdict; the latest one stays.
  /// - Returns: the trial as it ended; `nil` where none is open.
  package func stopTrial(of pipeline: String, reason: String, at now: Date) async throws -> Trial? {
    try await perform { database in
      guard let open = try database.openTrial(of: pipeline) else { return nil }
      let standing = TrialStanding(state: .stopped, verdict: open.verdict ?? .null, reason: reason)
      try database.put(standing, on: open.number, at: now)
      return try Trial(number: open.number, in: database)
    }
  }

  /// Closes the evaluations that an agent which died had begun.
  package func interruptObservations(reason: String, at now: Date) async throws {
    try await perform { database in
      try database.run(
        "UPDATE observation SET state = 'interrupted', reason = ?, ended = ? WHERE state = 'running'",
        [reason, now.milliseconds])
    }
  }
}

/// Where a trial stands after an evaluation.
package struct TrialStanding: Sendable, Equatable {
  package var state: Trial.State
  package var verdict: JSON
  package var reason: String

  package init(state: Trial.State, verdict: JSON, reason: String) {
    self.state = state
    self.verdict = verdict
    self.reason = reason
  }
}

extension Trial {
  /// `nil` where there is none.
  init?(number: Int, in database: Database) throws {
    guard let row = try Row.fetchOne(database, sql: "SELECT * FROM trial WHERE number = ?", arguments: [number]) else {
      return nil
    }
    try self.init(row: row)
  }
}

extension Database {
  func openTrial(of pipeline: String) throws -> Trial? {
    try Row.fetchOne(
      self, sql: "SELECT * FROM trial WHERE pipeline = ? AND ended IS NULL AND origin <> 'watch'", arguments: [pipeline]
    ).map(Trial.init(row:))
  }

  /// - Returns: whether it had not ended.
  @discardableResult
  func put(_ standing: TrialStanding, on trial: Int, at now: Date) throws -> Bool {
    try run(
      "UPDATE trial SET state = ?, verdict = ?, reason = ?, ended = ? WHERE number = ? AND ended IS NULL",
      [
        standing.state.rawValue, try standing.verdict.line(), standing.reason.storable,
        standing.state.isTerminal ? now.milliseconds : nil, trial,
      ])
    return changesCount > 0
  }
}
