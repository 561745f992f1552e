import Foundation

/// What the next blocks of one arm promise.
struct Forecast: Sendable {
  /// P(the arm is not worse than the margin).
  var probability: Double
  /// Blocks that its evidence is expected to need to the threshold.
  var blocks: Double
  /// Their cost, with the control's blocks that are not in the bank.
  var cost: Double
  /// Share of the control's cost that the arm would save against the incumbent.
  var saving: Double

  /// What is expected to be gained for what is spent.
  var index: Double { probability * saving / max(cost, 1e-12) }

  /// Blocks to a threshold, from the growth of the e-process at a gap: ½·log(1 + 0.8·gap²/(s² + s0²)) a block.
  static func blocks(evidence: Double, threshold: Double, gap: Double, variance: Double, taken: Int) -> Double {
    // the mixture pays ½·log(n + 1) − log 2 for not knowing the effect
    let growth = max(0.5 * log1p(0.8 * gap * gap / variance), 1e-6)
    let missing = max(0, threshold - evidence) / growth + 0.5
    return max(missing.rounded(.up), Double(3 - taken), 1)
  }
}
