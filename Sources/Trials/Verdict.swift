/// What the numbers say of the trial so far.
package enum Verdict: Sendable, Equatable, Codable {
  /// This arm is the cheapest that was shown to be as good.
  case promote(Promotion)
  /// Nothing is shown yet, and more blocks may show it.
  case `continue`(Outlook)
  /// No arm pays; in words, why.
  case keep(reason: String)
  /// The data cannot certify the margin for this arm, the best of those; the smallest that it could.
  case unresolvable(arm: Int, smallestMargin: Double)
}

/// An arm to put in force, with the numbers that say so.
package struct Promotion: Sendable, Equatable, Codable {
  package var arm: Int
  /// The evidence, and what it had to reach.
  package var e: Double
  package var threshold: Double
  package var blocks: Int
  /// Mean difference of quality to the control, and where it lies with the plan's confidence at every look.
  package var mean: Double
  package var interval: Interval
  /// Share of the control's cost that is saved, as measured in the same blocks.
  package var saving: Double
  /// The rows were too few, and the plan relaxed the guard.
  package var guardRelaxed: Bool

  package init(
    arm: Int, e: Double, threshold: Double, blocks: Int, mean: Double, interval: Interval, saving: Double,
    guardRelaxed: Bool
  ) {
    self.arm = arm
    self.e = e
    self.threshold = threshold
    self.blocks = blocks
    self.mean = mean
    self.interval = interval
    self.saving = saving
    self.guardRelaxed = guardRelaxed
  }
}

/// What is missing until a verdict.
package struct Outlook: Sendable, Equatable, Codable {
  /// In words.
  package var missing: String
  /// Evaluations of blocks still expected, the control's included.
  package var blocks: Double
  /// What they cost, in the unit of the observations' cost.
  package var cost: Double

  package init(missing: String, blocks: Double, cost: Double) {
    self.missing = missing
    self.blocks = blocks
    self.cost = cost
  }
}

/// What the race does next.
package enum Move: Sendable, Equatable {
  case evaluate(arm: Int, unit: Unit)
  case stop(Verdict)
}

/// Where one arm stands.
package struct Standing: Sendable, Equatable, Codable {
  package enum State: String, Sendable, Codable {
    case untried
    case testing
    case accepted
    case dead
    case dropped
  }

  package var arm: Int
  package var state: State
  /// Blocks that count: the arm's and the control's, from 1 without a gap.
  package var blocks: Int
  /// Mean difference to the control over the blocks; `nil` without one.
  package var mean: Double?
  package var interval: Interval?
  /// Evidence that the arm is not worse than the margin, and what it must reach; `nil` before the weights are fixed.
  package var e: Double?
  package var threshold: Double?
  /// Cost as a share of the control's: measured where there are blocks, else predicted.
  package var cost: Double
  package var costIsMeasured: Bool
  /// In words.
  package var reason: String
}
