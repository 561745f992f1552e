import Core
import Trials

/// One arm on one unit: its passes put together, as a race takes them.
struct Evaluation: Sendable {
  /// The mean over the folds of the metric as the stage gave it; `nil` where the arm broke.
  var metric: Double?
  /// By row; each row is held out once in a block.
  var scores: [String: Float] = [:]
  /// With nothing computed before, seconds.
  var cost = 0.0
  /// CPU that was really used, seconds.
  var spent = 0.0
  var failure: String?
  var isInterrupted = false

  private var metrics: [Double] = []
  private var lacksScores = false

  mutating func add(_ pass: ArmExecutor.Pass) {
    cost += pass.cost
    spent += pass.spent
    isInterrupted = pass.isInterrupted
    failure = pass.failure
    if let metric = pass.metric { metrics.append(metric) }
    if let rows = pass.scores { scores.merge(rows) { $1 } } else { lacksScores = true }
    let isWhole = failure == nil && !isInterrupted
    metric = isWhole && !metrics.isEmpty ? metrics.reduce(0, +) / Double(metrics.count) : nil
  }

  /// Stands for which rows were scored.
  var rowKey: String? {
    if lacksScores || scores.isEmpty { return nil }
    return String(Split.part(scores.keys.sorted().joined(separator: "\u{0}")), radix: 16)
  }

  /// What the race is told.
  /// - Parameter control: the metric of the control on the same unit; the arm's own where it is the control.
  func observation(arm: Int, unit: Trials.Unit, rules: TrialRules, control: Double?) -> Observation {
    let scale = Self.scale(rules, control: control)
    let sign = rules.goal == .maximize ? 1.0 : -1.0
    var rows: [Float]?
    if case .block = unit, !lacksScores, failure == nil {
      // by id, so that a row has the same place in every arm and block
      rows = scores.sorted { $0.key < $1.key }.map { $0.value / Float(scale) }
    }
    return Observation(arm: arm, unit: unit, quality: metric.map { sign * $0 / scale }, cost: cost, rows: rows)
  }

  /// A margin that is a share makes the unit of quality what the control reaches.
  private static func scale(_ rules: TrialRules, control: Double?) -> Double {
    guard case .share = rules.margin, let control, control != 0 else { return 1 }
    return abs(control)
  }
}
