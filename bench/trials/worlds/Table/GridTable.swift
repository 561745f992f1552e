import Foundation
import TrialWorlds
import Trials

/// What a trial costs against ten blocks of every arm, and what it finds.
struct GridTable {
  let worlds: Int

  func print() {
    Swift.print("grids: cost of the trial as a share of ten blocks of every arm; speed against the half-oracle")
    for stages in [4, 5, 6] {
      for form in [RacePlan.Form.economical, .thorough] { row(stages, form) }
    }
  }

  private func row(_ stages: Int, _ form: RacePlan.Form) {
    let finds = Many.of(worlds) { seed in Find(stages: stages, form: form, seed: seed) }
    let costs = finds.map(\.cost).sorted()
    let speed = exp(finds.reduce(0) { $0 + log($1.speed) } / Double(worlds))
    let seconds = finds.map(\.seconds).max() ?? 0
    Swift.print(
      "  \(finds[0].arms) arms, \(form.rawValue): "
        + String(
          format: "median %.2f %%, mean %.2f %%, 90 %% of worlds below %.2f %%; speed %.2f; planning at most %.2f s",
          costs[worlds / 2] * 100, costs.reduce(0, +) / Double(worlds) * 100, costs[worlds * 9 / 10] * 100, speed,
          seconds)
        + "; wrong \(finds.count { $0.isWrong }), none \(finds.count { $0.isNothing }) of \(worlds)")
  }
}

/// One trial in a world as drawn.
struct Find: Sendable {
  let arms: Int
  let cost: Double
  let speed: Double
  let isWrong: Bool
  let isNothing: Bool
  let seconds: Double

  init(stages: Int, form: RacePlan.Form, seed: UInt64) {
    let world = World(stages: stages, seed: seed)
    let plan = RacePlan(
      arms: world.arms, margin: world.margin, runsAhead: 5_000, form: form, guarding: .relaxed, seed: seed)
    let began = Date()
    let year = Year(world, plan: plan)
    seconds = Date().timeIntervalSince(began)
    arms = world.arms.count
    cost = year.cost / world.gridCost
    isWrong = year.isWrong
    isNothing = year.promoted == nil
    speed = min(1, world.costs[world.halfOracle] / (year.promoted.map { world.costs[$0] } ?? 1))
  }
}
