import Core
import Foundation
import Testing
import TrialWorlds
import Trials

/// A short form by default; every world of trials.md 6.2 where `PENSTOCK_SLOW_TESTS=1`.
@Suite struct WorldTests {
  static let slow = ProcessInfo.processInfo.environment["PENSTOCK_SLOW_TESTS"] == "1"

  @Test func `boundary worlds: where every cheaper arm is at the margin, nothing is promoted for a year`() {
    let worlds = Self.slow ? 1_000 : 40
    let nights = Self.slow ? 365 : 60
    let wrong = Many.of(worlds) { Year.atMargin($0, half: false, nights: nights) }.count { $0.isWrong }
    let half = Many.of(worlds) { Year.atMargin($0, half: true, nights: nights) }.count { $0.isWrong }
    #expect(wrong <= worlds / 50 + 1 && half <= worlds / 50 + 1, "\(wrong) and \(half) of \(worlds)")
    if Self.slow { #expect(Share(wrong, of: worlds).high < 0.05 && Share(half, of: worlds).high < 0.05) }
  }

  @Test func `boundary worlds: with a t-test at every look in its place, the same test fails`() {
    let worlds = Self.slow ? 200 : 40
    let nights = Self.slow ? 365 : 60
    let wrong = Many.of(worlds) { Year.atMargin($0, half: false, nights: nights, test: tTest) }.count { $0.isWrong }
    #expect(wrong > worlds / 50 + 1, "\(wrong) of \(worlds)")
    if Self.slow { #expect(Share(wrong, of: worlds).low > 0.05) }
  }

  @Test func `the power twin: on the same settings 95 % of worlds as drawn find an arm, and none that is worse`() {
    let worlds = Self.slow ? 1_000 : 40
    let years = Many.of(worlds) { Year.drawn($0) }
    #expect(Double(years.count { $0.promoted != nil }) >= 0.95 * Double(worlds))
    #expect(years.count { $0.isWrong } <= worlds / 100)
  }

  @Test(arguments: [(5, 0.01), (6, 0.0025)]) func `a trial of many arms costs a small share of ten blocks of each`(
    stages: Int, most: Double
  ) {
    let worlds = Self.slow ? 50 : 3
    let shares = Many.of(worlds) { seed in
      let world = World(stages: stages, seed: seed)
      let plan = RacePlan(
        arms: world.arms, margin: world.margin, runsAhead: 5_000, guarding: .relaxed, seed: seed)
      return Year(world, plan: plan).cost / world.gridCost
    }
    #expect(shares.sorted()[worlds / 2] <= most)
  }

  @Test func `two levels good alone and bad together are not promoted together`() {
    let wrong = (1...20 as ClosedRange<UInt64>).count { seed in
      var world = World(trap: seed)
      for (index, arm) in world.arms.enumerated() {
        let both = arm.levels["s0"] == .fine && arm.levels["s1"] == .fine
        world.losses[index] = both ? 5 : 0
        world.costs[index] = both ? 0.2 : world.costs[index]
      }
      let year = Year(world, plan: world.plan)
      return year.promoted.map { world.losses[$0] > 1 } ?? true
    }
    #expect(wrong == 0)
  }

  @Test func `two levels bad alone and good together are found in half of all worlds`() {
    let found = (1...20 as ClosedRange<UInt64>).count { seed in
      var world = World(trap: seed)
      for (index, arm) in world.arms.enumerated() {
        let first = arm.levels["s0"] == .fine
        let second = arm.levels["s1"] == .fine
        world.losses[index] = first != second ? 3 : 0
        world.costs[index] = first && second ? 0.2 : world.costs[index]
      }
      let promoted = Year(world, plan: world.plan).promoted.map { world.arms[$0].levels }
      return promoted?["s0"] == .fine && promoted?["s1"] == .fine
    }
    #expect(found >= 10)
  }

  @Test func `an arm with disasters in five per cent of its blocks ends at the first`() {
    // cheap, good, and ruinous now and then: whether it is promoted before the first is luck, and the watch takes it back
    let years = Many.of(Self.slow ? 500 : 60) { seed in
      var world = World(trap: seed)
      for arm in world.arms.indices.dropFirst() { world.losses[arm] = 3 }
      world.losses[5] = 0
      world.costs[5] = 0.3
      world.disasters[5] = 0.05
      let year = Year(world, plan: world.plan)
      guard year.promoted == 5 else { return true }
      var course = DriftCourse.drawn(seed: seed)
      course.disasters = 0.05
      return DrawnSight.year(course, seed: seed).disasters < 10
    }
    #expect(Double(years.count { $0 }) >= 0.95 * Double(years.count))
  }
}

extension World {
  /// 16 arms of two stages that differ little in cost, before a test makes its trap of them.
  init(trap seed: UInt64) {
    self.init(stages: 2, seed: seed)
    let arms = Arm.all(
      of: ["s0", "s1"].map { ($0, Set(Granularity.allCases)) })
    self.arms = arms
    losses = arms.map { _ in 0 }
    costs = arms.map { 1 - 0.1 * Double($0.levels.values.count { $0 != .coarse }) }
    noise = 1
  }

  var plan: RacePlan { RacePlan(arms: arms, margin: margin, guarding: .relaxed, seed: seed) }
}
