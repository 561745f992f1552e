import Foundation
import TrialWorlds
import Trials

let words = CommandLine.arguments.dropFirst()
let what = words.first ?? "boundary"
let count = Int(words.dropFirst().first ?? "") ?? 100
let nights = Int(words.dropFirst(2).first ?? "") ?? 365

func years(_ count: Int, _ one: @escaping @Sendable (UInt64) -> Year) -> [Year] {
  (1...count).map { one(UInt64($0)) }
}
func percent(_ value: Double) -> String { String(format: "%.2f %%", value * 100) }
let began = Date()
switch what {
case "boundary", "half", "ttest":
  let result = years(count) { seed in
    var world = World(stages: 4, seed: seed)
    world.putAtMargin(half: what == "half")
    let plan = RacePlan(arms: world.arms, margin: world.margin, guarding: .relaxed, seed: seed)
    return Year(world, plan: plan, nights: nights, test: what == "ttest" ? tTest : nil)
  }
  print(
    what, count, "worlds, wrong", percent(Double(result.count { $0.isWrong }) / Double(count)),
    "evaluations", result.map(\.evaluations).reduce(0, +) / count, "last night",
    result.map(\.lastNight).sorted()[count / 2])
default:
  let stages = Int(what) ?? 4
  var shares: [Double] = [], speeds: [Double] = [], wrong = 0, none = 0
  for seed in 1...UInt64(count) {
    let world = World(stages: stages, seed: seed)
    let plan = RacePlan(arms: world.arms, margin: world.margin, runsAhead: 2000, guarding: .relaxed, seed: seed)
    let year = Year(world, plan: plan, nights: nights)
    let cost = year.promoted.map { world.costs[$0] } ?? 1
    if year.isWrong { wrong += 1 }
    if year.promoted == nil { none += 1 }
    shares.append(year.cost / world.gridCost)
    speeds.append(world.costs[world.halfOracle] / cost)
    if count <= 20 {
      print(
        seed, "noise", world.noise, "oracle", world.costs[world.halfOracle], "got", cost,
        year.promoted.map { world.losses[$0] } ?? 0, percent(year.cost / world.gridCost), year.evaluations)
    }
  }
  let geo = exp(speeds.map { log(min($0, 1)) }.reduce(0, +) / Double(count))
  print(
    stages, "stages:", count, "worlds, cost median", percent(shares.sorted()[count / 2]), "mean",
    percent(shares.reduce(0, +) / Double(count)), "p90", percent(shares.sorted()[count * 9 / 10]),
    "speed of half-oracle", geo, "wrong", wrong, "none", none)
}
print(String(format: "%.1f s", Date().timeIntervalSince(began)))
