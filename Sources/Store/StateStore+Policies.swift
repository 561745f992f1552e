package import Core
package import Foundation
import GRDB

/// What is in force for `auto` stages changes by a recorded step only: a verdict, a change of the stages, a person.
extension StateStore {
  /// A trial has shown these levels to be as good and cheaper.
  /// - Parameters:
  ///   - basis: what the stages were when it was learned.
  ///   - standing: how the trial ends with it, in one.
  /// - Returns: `nil` where the trial has ended before: then nothing is put in force.
  @discardableResult
  package func promote(
    _ pipeline: String, _ levels: [String: Granularity], trial: Int, basis: StageBasis, reason: String,
    ending standing: TrialStanding? = nil, at now: Date
  ) async throws -> Policy? {
    try await perform { database in
      if let standing, try !database.put(standing, on: trial, at: now) { return nil }
      return try database.add(
        Policy(
          pipeline: pipeline, state: .inForce, levels: levels, source: .trial(trial), basis: basis, reason: reason,
          since: now))
    }
  }

  /// What trials put in force is taken back: everything is coarse again.
  /// - Parameters:
  ///   - number: that of the policy that is meant; another one stays. `nil` means any.
  /// - Returns: the step; `nil` where nothing is in force, or another one than is meant.
  @discardableResult
  package func demote(
    _ pipeline: String, number: Int? = nil, by source: Policy.Source, reason: String, at now: Date
  ) async throws -> Policy? {
    try await perform { database in
      guard let standing = try database.standing(of: pipeline).verdict, standing.state == .inForce,
        number == nil || number == standing.number
      else { return nil }
      return try database.add(
        Policy(
          pipeline: pipeline, state: .demoted, levels: standing.levels, source: source, basis: standing.basis,
          reason: reason, since: now))
    }
  }

  /// A person puts levels in force, over whatever trials say.
  @discardableResult
  package func pin(
    _ pipeline: String, _ levels: [String: Granularity], basis: StageBasis, at now: Date
  ) async throws -> Policy {
    try await perform { database in
      try database.add(
        Policy(
          pipeline: pipeline, state: .pinned, levels: levels, source: .person, basis: basis, reason: "pinned by hand",
          since: now))
    }
  }

  /// A person lets go of what was pinned: what trials say counts again.
  /// - Returns: the step; `nil` where nothing is pinned.
  @discardableResult
  package func unpin(_ pipeline: String, at now: Date) async throws -> Policy? {
    try await perform { database in
      guard let pin = try database.standing(of: pipeline).pin else { return nil }
      return try database.add(
        Policy(
          pipeline: pipeline, state: .unpinned, levels: pin.levels, source: .person, basis: pin.basis,
          reason: "let go by hand", since: now))
    }
  }
}

extension StateReader {
  /// What stands for a pipeline, which may be nothing.
  package func policy(of pipeline: String) async throws -> PolicyStanding {
    try await read { try $0.standing(of: pipeline) }
  }

  /// What stands for every pipeline that ever had a policy, by name.
  package func policies() async throws -> [PolicyStanding] {
    try await read { database in
      try String.fetchAll(database, sql: "SELECT DISTINCT pipeline FROM policy ORDER BY pipeline").map {
        try database.standing(of: $0)
      }
    }
  }

  /// The steps of a pipeline, the newest first.
  package func policySteps(of pipeline: String, limit: Int) async throws -> [Policy] {
    try await read { database in
      try Row.fetchAll(
        database, sql: "SELECT * FROM policy WHERE pipeline = ? ORDER BY number DESC LIMIT ?",
        arguments: [pipeline, limit]
      ).map(Policy.init(row:))
    }
  }

  /// The metric of this name that the latest done run of a pipeline has, of those among its last `limit`.
  ///
  /// Where several stages of a run say one, that of the last attempt counts.
  package func latestMetric(_ name: String, of pipeline: String, limit: Int) async throws -> Double? {
    try await read { database in
      let metrics = try Row.fetchCursor(
        database,
        sql: """
          WITH recent (number) AS (
            SELECT number FROM run INDEXED BY run_by_pipeline_state WHERE pipeline = ? AND state = 'done'
            ORDER BY number DESC LIMIT ?)
          SELECT attempt.metrics FROM recent CROSS JOIN attempt ON attempt.run = recent.number
          WHERE attempt.state IN ('ok', 'cached') AND attempt.metrics <> '{}'
          ORDER BY recent.number DESC, attempt.rowid DESC
          """, arguments: [pipeline, limit])
      while let row = try metrics.next() {
        let own: [String: JSON] = try row.json("metrics")
        if let value = own[name]?.double { return value }
      }
      return nil
    }
  }
}
