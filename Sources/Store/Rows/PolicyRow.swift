import Core
import GRDB

extension Policy {
  init(row: Row) throws {
    let source: Policy.Source =
      switch try row.value("source") as String {
      case "trial": .trial(try row.value("trial"))
      case "person": .person
      default: .change
      }
    let levels: [String: Granularity] = try row.json("levels")
    self.init(
      number: try row.value("number"), pipeline: try row.value("pipeline"), state: try row.word("state"),
      levels: levels, source: source, basis: try row.json("basis"), reason: try row.value("reason"),
      since: try row.requiredDate("since"))
  }
}

extension Database {
  /// Adds a step.
  /// - Returns: it with its number.
  func add(_ policy: Policy) throws -> Policy {
    var trial: Int?
    let source: String
    switch policy.source {
    case .trial(let number): (source, trial) = ("trial", number)
    case .person: source = "person"
    case .change: source = "change"
    }
    try run(
      """
      INSERT INTO policy (pipeline, state, levels, source, trial, basis, reason, since) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
      """,
      [
        policy.pipeline, policy.state.rawValue, try policy.levels.text(), source, trial, try policy.basis.text(),
        policy.reason.storable, policy.since.milliseconds,
      ])
    var policy = policy
    policy.number = Int(lastInsertedRowID)
    return policy
  }

  /// What stands for a pipeline.
  func standing(of pipeline: String) throws -> PolicyStanding {
    func latest(_ states: String) throws -> Policy? {
      try Row.fetchOne(
        cachedStatement(
          sql: """
            SELECT * FROM policy INDEXED BY policy_by_pipeline WHERE pipeline = ? AND state IN (\(states))
            ORDER BY number DESC LIMIT 1
            """), arguments: [pipeline]
      ).map(Policy.init(row:))
    }
    let pin = try latest("'pinned', 'unpinned'")
    return PolicyStanding(
      pipeline: pipeline, verdict: try latest("'in_force', 'demoted'"), pin: pin?.state == .pinned ? pin : nil)
  }
}
