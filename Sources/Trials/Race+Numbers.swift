import Foundation

extension Race {
  /// An arm that saves less of the control's cost is not worth a change.
  static var leastSaving: Double { 0.03 }

  /// Evidence that the arm is not worse than the margin.
  func logE(of arm: Int) -> Double {
    test(lines[arm].differences.shifted(by: plan.margin), plan.floor)
  }

  /// Evidence that the arm saves: on the logarithm of its share of the control's cost, with a floor of 5 %.
  func logSavingE(of arm: Int) -> Double {
    EProcess.logE(lines[arm].costs.negated.shifted(by: log(1 - Self.leastSaving)), floor: 0.05)
  }

  /// Variance of the difference of one block: the arm's own, drawn towards that of all arms, and the screening's.
  func blockVariance(of arm: Int) -> Double {
    let assumed = 0.9 * quality.noise * quality.noise / Double(plan.folds)
    let pooled = (4 * assumed + scatter.sum) / (4 + scatter.freedom)
    let own = lines[arm].differences
    guard own.count > 1 else { return pooled }
    return (4 * pooled + own.scatter) / (4 + Double(own.count - 1))
  }

  /// What is believed of the arm's difference: the model, and the blocks that it does not know yet.
  func belief(of arm: Int) -> Belief {
    let (all, known) = (lines[arm].differences, modelled[arm])
    let count = all.count - known.count
    guard count > 0 else { return quality.beliefs[arm] }
    let mean = (all.mean * Double(all.count) - known.mean * Double(known.count)) / Double(count)
    return quality.beliefs[arm].after(mean: mean, count: count, variance: blockVariance(of: arm))
  }

  /// The arm's cost as a share of the control's: the prediction, drawn to what the blocks measured.
  func cost(of arm: Int) -> Belief {
    guard arm != 0 else { return Belief(mean: 0, variance: 0) }
    let measured = lines[arm].costs
    // one block may lie by a fifth on a busy machine; more of them tell how loud the costs are
    let noise = (2 * 0.04 + measured.scatter) / (2 + Double(max(measured.count - 1, 0)))
    return Belief(mean: log(costs.predicted[arm]), variance: costs.deviation * costs.deviation)
      .after(mean: measured.mean, count: measured.count, variance: noise)
  }

  func costShare(of arm: Int) -> Double { exp(cost(of: arm).mean) }

  /// The cheapest arm that was accepted, else the control.
  package var incumbent: Int {
    let accepted = lines.indices.filter { lines[$0].accepted }
    return accepted.min { lines[$0].costs.mean < lines[$1].costs.mean } ?? 0
  }
}
