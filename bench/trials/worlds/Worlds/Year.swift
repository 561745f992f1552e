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
        if case .promote(let promotion) = race.verdict, promotion.arm != promoted {
          promoted = promotion.arm
          if world.losses[promotion.arm] >= 1 { isWrong = true }
        }
      }
    }
  }
}

/// Student's t-test at every look: what the e-process is there to replace; in the form of evidence, 1/p.
@Sendable package func tTest(_ values: Moments, floor: Double) -> Double {
  guard let variance = values.variance, variance > 0 else { return 0 }
  let n = Double(values.count)
  return -StudentT.logCDF(-values.mean / (variance / n).squareRoot(), freedom: n - 1)
}
