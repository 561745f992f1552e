import Core
import Trials

/// A trial of few arms whose truth a test writes down.
struct SmallTrial {
  var plan: RacePlan
  /// Loss of each arm in margins, and its cost as a share of the control's.
  var losses: [Double]
  var costs: [Double]
  /// Standard deviation of a block's difference, and of a block's log cost.
  var noise = 0.5
  var scatter = 0.05
  var rows = 0
  /// The arm crashes in this unit.
  var crashes: @Sendable (_ arm: Int, _ unit: Unit) -> Bool = { _, _ in false }

  init(losses: [Double], costs: [Double], guarding: RacePlan.Guarding = .relaxed, seed: UInt64 = 1) {
    let arms = losses.indices.map { Arm([:], variant: $0 == 0 ? nil : "v\($0)") }
    plan = RacePlan(arms: arms, margin: 0.01, guarding: guarding, seed: seed)
    self.losses = losses
    self.costs = costs
  }

  func observation(_ arm: Int, _ unit: Unit) -> Observation {
    let (number, folds): (UInt64, Double) =
      switch unit {
      case .screen(let fold): (UInt64(fold) + 10_000, 1)
      case .block(let block): (UInt64(block), 5)
      }
    var common = Dice(seed: plan.seed &* 1_000_003 &+ number)
    var own = Dice(seed: plan.seed &* 1_000_003 &+ number &+ UInt64(arm) << 40)
    _ = own.next()
    let deviation = noise * plan.margin * (5 / folds).squareRoot()
    let apart = arm == 0 ? 0 : deviation * own.normal()
    let quality = 0.8 + 0.02 * common.normal() + apart - losses[arm] * plan.margin
    return Observation(
      arm: arm, unit: unit, quality: crashes(arm, unit) ? nil : quality,
      cost: costs[arm] * folds * max(0.1, 1 + scatter * own.normal()), rows: scores(of: arm, block: number))
  }

  /// Of every row 0 or 1: right or wrong; arms differ in some two of a hundred.
  private func scores(of arm: Int, block: UInt64) -> [Float]? {
    guard rows > 0 else { return nil }
    var dice = Dice(seed: 99 &+ UInt64(arm))
    return (0..<rows).map { row in
      let base: Float = row % 10 == 0 ? 0 : 1
      // as many rows gained as lost
      let change = base == 0 ? 0.09 : 0.01
      return arm > 0 && dice.uniform() < change ? 1 - base : base
    }
  }

  /// Does what the race asks for, at most so many times.
  func run(_ race: inout Race, atMost: Int = 2_000) -> Verdict {
    for _ in 0..<atMost {
      guard case .evaluate(let arm, let unit) = race.next() else { break }
      race.record(observation(arm, unit))
    }
    return race.verdict
  }

  func run(atMost: Int = 2_000) -> (race: Race, verdict: Verdict) {
    var race = Race(plan)
    let verdict = run(&race, atMost: atMost)
    return (race, verdict)
  }
}

extension Verdict {
  var promoted: Int? { if case .promote(let promotion) = self { promotion.arm } else { nil } }
}
