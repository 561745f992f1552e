import Core
package import Trials

/// What a year of nights came to.
package struct Year: Sendable {
  /// The arm in force at the end; `nil` without one.
  package var promoted: Int?
  /// An arm that truly loses the margin or more was ever in force.
  package var isWrong = false
  package var cost = 0.0
  package var evaluations = 0
  /// The night of the last evaluation, from 1.
  package var lastNight = 0

  /// Runs a race over nights of so many evaluations, and looks at the verdict after each of them.
  package init(_ world: World, plan: RacePlan, nights: Int = 365, each: Int = 8, test: Race.Test? = nil) {
    var race = test.map { Race(plan, test: $0) } ?? Race(plan)
    nights: for night in 1...nights {
      for _ in 0..<each {
        guard case .evaluate(let arm, let unit) = race.next() else { break nights }
        let observation = world.observe(arm, unit)
        race.record(observation)
        cost += observation.cost
        evaluations += 1
        lastNight = night
        guard race.incumbent != 0, race.incumbent != promoted else { continue }
        promoted = race.incumbent
        if world.losses[race.incumbent] >= 1 { isWrong = true }
      }
    }
  }
}

extension Year {
  /// 192 arms of which nothing may be promoted.
  package static func atMargin(_ seed: UInt64, half: Bool, nights: Int = 365, test: Race.Test? = nil) -> Year {
    var world = World(stages: 4, seed: seed)
    world.putAtMargin(half: half)
    return Year(world, plan: plan(of: world), nights: nights, test: test)
  }

  /// The same world as drawn, with the same settings.
  package static func drawn(_ seed: UInt64, nights: Int = 365) -> Year {
    let world = World(stages: 4, seed: seed)
    return Year(world, plan: plan(of: world), nights: nights)
  }

  private static func plan(of world: World) -> RacePlan {
    RacePlan(arms: world.arms, margin: world.margin, guarding: .relaxed, seed: world.seed)
  }
}

/// Student's t-test at every look: what the e-process is there to replace; in the form of evidence, 1/p.
@Sendable package func tTest(_ values: Moments, floor: Double) -> Double {
  guard let variance = values.variance, variance > 0 else { return 0 }
  let n = Double(values.count)
  return -StudentT.logCDF(-values.mean / (variance / n).squareRoot(), freedom: n - 1)
}
