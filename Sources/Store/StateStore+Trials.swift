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
  package func put(_ standing: TrialStanding, on trial: Int, at now: Date) async throws {
    try await perform { try $0.put(standing, on: trial, at: now) }
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

extension Database {
  fileprivate func put(_ standing: TrialStanding, on trial: Int, at now: Date) throws {
    try run(
      "UPDATE trial SET state = ?, verdict = ?, reason = ?, ended = ? WHERE number = ? AND ended IS NULL",
      [
        standing.state.rawValue, try standing.verdict.line(), standing.reason.storable,
        standing.state.isTerminal ? now.milliseconds : nil, trial,
      ])
  }
}
