import Foundation
import Glibc
import TrialWorlds
import Trials

/// What it costs to choose the next arm and to say where a trial stands, beside what the trial itself costs.
struct PlanningTable {
  let worlds: Int

  func print() {
    Swift.print("planning: CPU time of a whole trial's choices and verdicts, and of taking it up again once")
    row(stages: 4, full: false)
    row(stages: 5, full: false)
    row(stages: 6, full: true)
  }

  private func row(stages: Int, full: Bool) {
    let plannings = (1...worlds).map { Planning(World(stages: stages, full: full, seed: UInt64($0))) }
    func most(_ value: (Planning) -> Double) -> Double { plannings.map(value).max() ?? 0 }
    let shares = plannings.map { $0.seconds / $0.folds }.sorted()
    Swift.print(
      "  \(plannings[0].arms) arms: "
        + String(
          format: "median %.2f s, at most %.2f s; one choice at most %.0f ms; of trials whose full fold takes 1 s CPU "
            + "median %.2f %%, at most %.2f %%",
          plannings.map(\.seconds).sorted()[worlds / 2], most(\.seconds), most(\.longest) * 1000,
          shares[worlds / 2] * 100, (shares.last ?? 0) * 100))
  }
}

/// One trial in a world as drawn, by the clock of the thread.
private struct Planning {
  let arms: Int
  /// What the trial costs, in folds of the control.
  var folds = 0.0
  /// CPU seconds: all of it, and of the dearest choice.
  var seconds = 0.0
  var longest = 0.0

  init(_ world: World) {
    arms = world.arms.count
    let plan = RacePlan(arms: world.arms, margin: world.margin, runsAhead: 5_000, guarding: .relaxed, seed: world.seed)
    var seen: [Observation] = []
    var race = measured { Race(plan) }
    while case .evaluate(let arm, let unit) = measured({ race.next() }) {
      let observation = world.observe(arm, unit)
      folds += observation.cost
      seen.append(observation)
      measured {
        race.record(observation)
        // as the agent records after each evaluation
        _ = try? JSONEncoder().encode(race.verdict)
        _ = race.isConfirming
      }
    }
    measured {
      var again = Race(plan)
      for observation in seen { again.record(observation) }
    }
  }

  @discardableResult
  private mutating func measured<Value>(_ body: () -> Value) -> Value {
    let began = Self.clock
    let value = body()
    let spent = Self.clock - began
    seconds += spent
    longest = max(longest, spent)
    return value
  }

  private static var clock: Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
