package import Foundation

/// One comparison of arms on the data of one pipeline, as it is recorded.
package struct Trial: Sendable, Equatable {
  /// Names its directory, and is the run that its programs are told of.
  package var id: RunID
  /// The short number people type.
  package var number: Int
  package var pipeline: String
  /// The digest of the pipeline version it compares settings of.
  package var version: String
  package var state: State
  package var origin: Origin
  package var data: TrialData
  /// The digest of the stage definitions it learns about.
  package var definition: String
  /// The stage and the metric by which arms are judged.
  package var stage: String
  package var rules: TrialRules
  /// What the race is about, as the module of trials encodes it.
  package var plan: JSON
  package var created: Date
  package var ended: Date?
  /// The latest verdict, as the module of trials encodes it; `nil` before the first.
  package var verdict: JSON?
  /// The same in words.
  package var reason: String?

  package enum State: String, Sendable, Codable, CaseIterable {
    /// A few folds of many arms; nothing is claimed from them.
    case screening
    /// Whole blocks of the most promising arms.
    case confirming
    /// An arm was shown to be as good, and is used from then on.
    case promoted
    /// No arm was shown to be as good and to save enough.
    case kept
    /// A person, or a changed pipeline, ended it.
    case stopped

    package var isTerminal: Bool { ![.screening, .confirming].contains(self) }
  }

  package enum Origin: String, Sendable, Codable {
    case window
    case manual
    /// It looks whether the arm in force is still as good.
    case watch
  }

  package init(
    id: RunID, number: Int = 0, pipeline: String, version: String, state: State = .screening, origin: Origin,
    data: TrialData, definition: String, stage: String, rules: TrialRules, plan: JSON, created: Date,
    ended: Date? = nil, verdict: JSON? = nil, reason: String? = nil
  ) {
    self.id = id
    self.number = number
    self.pipeline = pipeline
    self.version = version
    self.state = state
    self.origin = origin
    self.data = data
    self.definition = definition
    self.stage = stage
    self.rules = rules
    self.plan = plan
    self.created = created
    self.ended = ended
    self.verdict = verdict
    self.reason = reason
  }
}

/// The data a trial compares arms on: a copy of its own.
package struct TrialData: Sendable, Equatable, Codable {
  /// The drop; of data sources the first.
  package var drop: Drop
  /// Where the originals lay, absolute paths.
  package var paths: [String]
  /// Lower-case hex SHA-256 of each.
  package var digests: [String]

  package init(drop: Drop, paths: [String], digests: [String]) {
    self.drop = drop
    self.paths = paths
    self.digests = digests
  }
}

/// One measured evaluation of an arm, as it is recorded.
package struct TrialObservation: Sendable, Equatable {
  package var trial: Int
  /// The order in which they were begun, from 1.
  package var n: Int
  /// Index into the arms of the plan; the control is 0.
  package var arm: Int
  /// `screen:3` or `block:1`.
  package var unit: String
  package var state: State
  /// More is better, in the unit of the margin; `nil` where the arm broke.
  package var quality: Double?
  /// The metric as the stage gave it, the mean over the folds.
  package var metric: Double?
  /// What it would have cost with nothing computed before, seconds.
  package var cost: Double
  /// CPU seconds that were really used.
  package var spent: Double
  /// Scores of the held-out rows of a block, by row.
  package var rows: [Float]?
  /// Stands for which rows they are of: arms are compared on equal ones only.
  package var rowKey: String?
  package var reason: String?
  package var began: Date
  package var ended: Date?

  package enum State: String, Sendable, Codable {
    case running
    case ok
    /// A stage of the arm failed: it counts as the worst there is.
    case failed
    /// Real work, the end of the night, or the death of the agent came between: it is done again.
    case interrupted
  }

  package init(
    trial: Int, n: Int, arm: Int, unit: String, state: State = .running, quality: Double? = nil,
    metric: Double? = nil, cost: Double = 0, spent: Double = 0, rows: [Float]? = nil, rowKey: String? = nil,
    reason: String? = nil, began: Date, ended: Date? = nil
  ) {
    self.trial = trial
    self.n = n
    self.arm = arm
    self.unit = unit
    self.state = state
    self.quality = quality
    self.metric = metric
    self.cost = cost
    self.spent = spent
    self.rows = rows
    self.rowKey = rowKey
    self.reason = reason
    self.began = began
    self.ended = ended
  }
}
