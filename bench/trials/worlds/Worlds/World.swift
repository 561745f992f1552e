import Core
import Foundation
package import Trials

/// A made-up pipeline whose truth is known: what every arm loses and costs, and how loud a block is.
package struct World: Sendable {
  package var arms: [Arm]
  /// What each arm truly loses against the control, in margins; the control's is 0.
  package var losses: [Double]
  /// What each arm truly costs, as a share of the control.
  package var costs: [Double]
  /// Standard deviation of the difference of one fold, in margins.
  package var noise: Double
  /// Share of blocks that lose 20 margins more, by arm.
  package var disasters: [Int: Double] = [:]
  /// How the noise of the arms is shaped.
  package enum Shape: UInt64, Sendable, CaseIterable {
    case normal
    /// Each fold loses much now and then: an exponential to the left.
    case skewed
    /// Qualities come in steps of a quarter of the margin, as of few rows.
    case stepped
  }
  package var shape = Shape.normal
  package var margin = 0.01
  package var seed: UInt64

  /// A grid of stages with four levels, the last of which cannot be `off`, unless `full` says so.
  ///
  /// Effects of levels, pairs and arms are drawn as they were on the real data of the study: some levels cost nothing,
  /// some about a margin, some ruin the result; costs are sums over the stages.
  package init(stages: Int, full: Bool = false, seed: UInt64) {
    var dice = Dice(seed: seed)
    let names = (0..<stages).map { "s\($0)" }
    arms = Arm.all(
      of: names.enumerated().map {
        ($1, $0 == stages - 1 && !full ? [.coarse, .medium, .fine] : Set(Granularity.allCases))
      })
    var effects: [String: [Granularity: Double]] = [:]
    var shares: [String: Double] = [:]
    var factors: [String: [Granularity: Double]] = [:]
    for name in names {
      shares[name] = 0.1 + dice.uniform() * dice.uniform() * 2
      for level in Granularity.allCases where level != .coarse {
        let kind = dice.uniform()
        let effect: Double =
          if kind < 0.5 {
            0.15 * abs(dice.normal())
          } else if kind < 0.75 {
            dice.normal()
          } else {
            3 + 12 * dice.uniform()
          }
        effects[name, default: [:]][level] = effect
      }
      let medium = 0.2 + 0.3 * dice.uniform()
      let fine = 0.05 + 0.25 * dice.uniform()
      factors[name] = [.coarse: 1, .medium: medium, .fine: fine, .off: 0.005]
    }
    let whole = names.reduce(0) { $0 + (shares[$1] ?? 0) }
    var pairs: [String: Double] = [:]
    losses = []
    costs = []
    for arm in arms {
      var loss = 0.0
      let changed = names.filter { arm.levels[$0] != .coarse }
      for (index, name) in changed.enumerated() {
        let level = arm.levels[name] ?? .coarse
        loss += effects[name]?[level] ?? 0
        for other in changed.dropFirst(index + 1) {
          let key = "\(name)\(level)\(other)\(arm.levels[other] ?? .coarse)"
          if pairs[key] == nil { pairs[key] = 0.25 * dice.normal() }
          loss += pairs[key] ?? 0
        }
      }
      losses.append(changed.isEmpty ? 0 : loss + 0.1 * dice.normal())
      let cost = names.reduce(0) { sum, name in
        sum + (shares[name] ?? 0) * (arm.levels[name].flatMap { factors[name]?[$0] } ?? 1)
      }
      costs.append(changed.isEmpty ? 1 : 0.03 + 0.97 * cost / whole * (1 + 0.05 * dice.normal()))
    }
    noise = 0.5 + 2 * dice.uniform()
    shape = Shape(rawValue: seed % 3) ?? .normal
    self.seed = seed
    let order = [0] + (1..<arms.count).shuffled(using: &dice)
    arms = order.map { arms[$0] }
    losses = order.map { losses[$0] }
    costs = order.map { costs[$0] }
  }

  /// Every arm that costs less than the control is exactly at the margin; with `half`, only the cheapest half is, and
  /// what is dearer is worse.
  package mutating func putAtMargin(half: Bool = false) {
    let middle = costs.sorted()[costs.count / 2]
    for arm in arms.indices.dropFirst() { losses[arm] = half && costs[arm] > middle ? 2 : 1 }
  }

  /// Evaluates one unit: a function of the world's seed, the arm and the unit alone.
  package func observe(_ arm: Int, _ unit: Trials.Unit) -> Observation {
    let (number, folds): (UInt64, Double) =
      switch unit {
      case .screen(let fold): (UInt64(fold) << 1, 1)
      case .block(let block): (UInt64(block) << 1 | 1, 5)
      }
    var common = Dice(seed: seed &* 31 &+ number &* 0x1000_0001)
    var own = Dice(seed: seed &* 31 &+ number &* 0x1000_0001 &+ UInt64(arm) &* 0x9E37_79B9_97F4_A7C1)
    _ = own.next()
    // the difference has the noise's variance: 30 % of it is the control's own, what both share cancels
    let split = 3 * noise * margin * common.normal() / folds.squareRoot()
    let deviation = noise * margin / folds.squareRoot() * 0.95
    let loud = arm == 0 ? 0 : shape == .skewed ? own.leftExponentials(Int(folds)) : own.normal()
    let apart = 0.7.squareRoot() * deviation * loud
    let control = 0.3.squareRoot() * deviation * common.normal()
    var quality = 0.85 + split + apart - (arm == 0 ? 0 : losses[arm] * margin) + (arm == 0 ? control : 0)
    if let share = disasters[arm], folds > 1, own.uniform() < share { quality -= 20 * margin }
    if shape == .stepped { quality = (quality / (0.25 * margin)).rounded() * 0.25 * margin }
    let scatter = 0.15 / folds.squareRoot()
    let cost = costs[arm] * folds * exp(scatter * own.normal())
    return Observation(arm: arm, unit: unit, quality: quality, cost: cost)
  }

  /// What ten blocks of every arm cost, in folds of the control.
  package var gridCost: Double { costs.reduce(0, +) * 50 }

  /// The cheapest arm that truly loses at most half the margin; the control where there is none.
  package var halfOracle: Int {
    arms.indices.filter { losses[$0] <= 0.5 }.min { costs[$0] < costs[$1] } ?? 0
  }
}

extension Dice {
  /// The sum of so many centred exponentials to the left, of standard deviation 1.
  fileprivate mutating func leftExponentials(_ count: Int) -> Double {
    (0..<count).reduce(0) { sum, _ in sum + 1 + log(uniform()) } / Double(count).squareRoot()
  }
}
