import Core
import Foundation
import Testing
import TrialWorlds
import Trials

/// Arms that hide what they do badly, or do badly now and then: trials.md 6, test 6; the study's 4b.5 and 4b.6.
///
/// A short form by default; 500 worlds of each where `PENSTOCK_SLOW_TESTS=1`.
@Suite struct DisasterTests {
  private static let worlds = WorldTests.slow ? 500 : 60

  /// 192 arms, all of which truly lose one and a half margins: half of their blocks look good enough.
  private static func tempting(_ seed: UInt64) -> World {
    var world = World(stages: 4, seed: seed)
    for arm in world.arms.indices.dropFirst() { world.losses[arm] = 1.5 }
    return world
  }

  /// Does what the race asks for; a `runner` gives back what it likes of what it saw.
  private static func race(
    _ world: World, most: Int = 2_000,
    runner: (_ seen: Observation, _ control: Observation, _ bad: Bool) -> Observation
  ) -> Race {
    var race = Race(
      RacePlan(
        arms: world.arms, margin: world.margin, runsAhead: 5_000, guarding: .relaxed, seed: world.seed))
    for _ in 0..<most {
      guard case .evaluate(let arm, let unit) = race.next() else { break }
      let (seen, control) = (world.observe(arm, unit), world.observe(0, unit))
      let loss = (control.quality ?? 0) - (seen.quality ?? 0)
      race.record(runner(seen, control, arm != 0 && loss > world.margin))
    }
    return race
  }

  @Test func `6: a runner that crashes exactly on the bad blocks of its arms never gets one promoted`() {
    let promoted = Many.of(Self.worlds) { seed in
      Self.race(Self.tempting(seed)) { seen, _, bad in
        var told = seen
        if bad { told.quality = nil }
        return told
      }.incumbent != 0
    }
    #expect(promoted.count { $0 } == 0)
    // were a crash taken for what the control reached, the same worlds would be promoted
    let fooled = Many.of(20) { seed in
      Self.race(Self.tempting(seed)) { seen, control, bad in
        var told = seen
        if bad { told.quality = control.quality }
        return told
      }.incumbent != 0
    }
    #expect(fooled.count { $0 } >= 16)
  }

  @Test
  func
    `6: a runner that times out on bad blocks of one cheap arm, and is fine otherwise, gets another one promoted or none`()
  {
    let wrong = Many.of(Self.worlds) { seed in
      // every arm is good but the cheapest, which hides a loss of 4 margins in every fifth block
      var world = World(stages: 3, seed: seed)
      for arm in world.arms.indices.dropFirst() { world.losses[arm] = 0.2 }
      let cheapest = world.arms.indices.min { world.costs[$0] < world.costs[$1] } ?? 1
      let race = Self.race(world) { seen, _, _ in
        var told = seen
        if seen.arm == cheapest, case .block(let block) = seen.unit, block % 5 == Int(seed % 5) { told.quality = nil }
        return told
      }
      return race.incumbent == cheapest && race.standings[cheapest].blocks >= 5
    }
    #expect(wrong.count { $0 } == 0)
  }

  private struct Fate {
    /// Arms that were seen to lose 20 margins in a block, and those of them that are not ended.
    var ruined: Set<Int> = []
    var survivors = 0
    var isPromoted = false
    /// Bad nights in force until it was taken back.
    var badNights = 0
  }

  /// 192 arms, all of which lose a fifth of the margin, and in 5 % of their blocks 20 margins more: 1.2 in the mean.
  private static func fate(_ seed: UInt64) -> Fate {
    var world = World(stages: 4, seed: seed)
    world.noise = min(world.noise, 1.5)
    for arm in world.arms.indices.dropFirst() { (world.losses[arm], world.disasters[arm]) = (0.2, 0.05) }
    var fate = Fate()
    let race = Self.race(world) { seen, control, _ in
      if case .block = seen.unit, (control.quality ?? 0) - (seen.quality ?? 0) > 15 * world.margin {
        fate.ruined.insert(seen.arm)
      }
      return seen
    }
    let standings = race.standings
    fate.survivors = fate.ruined.count { standings[$0].state != .dead }
    fate.isPromoted = race.incumbent != 0
    if fate.isPromoted { fate.badNights = badNights(seed, noise: world.noise) }
    return fate
  }

  /// A year in force: the night's own score, a paired fold a week, and blocks as the watch asks for them.
  private static func badNights(_ seed: UInt64, noise: Double) -> Int {
    let margin = 0.01
    var dice = Dice(seed: seed &* 7919)
    func loss(_ deviation: Double) -> Double {
      margin * (0.2 + (dice.uniform() < 0.05 ? 20 : 0) - deviation * dice.normal())
    }
    var watch = Watch(margin: margin)
    var bad = 0
    for night in 1...365 {
      let lost = loss(1.5)
      if lost > 10 * margin { bad += 1 }
      watch.record(.night(score: 0.9 - lost))
      if night % 7 == 0 { watch.record(.fold(difference: -loss(noise))) }
      for _ in 0..<3 {
        guard case .blocks = watch.call else { break }
        watch.record(.block(difference: -loss(noise / 5.0.squareRoot())))
      }
      if case .demote = watch.call { return bad }
    }
    return bad
  }

  @Test func `6: an arm with five per cent disasters ends at the first, or is taken back before ten bad nights`() {
    let fates = Many.of(Self.worlds) { Self.fate($0) }
    let ruined = fates.reduce(0) { $0 + $1.ruined.count }
    let promoted = fates.count { $0.isPromoted }
    let bad = fates.count { $0.isPromoted && $0.badNights >= 10 }
    let figures = "\(ruined) arms ended, \(promoted) promoted, \(bad) with ten bad nights, of \(fates.count) worlds"
    #expect(fates.reduce(0) { $0 + $1.survivors } == 0, "\(figures)")
    // whether one is promoted before its first disaster is luck: both come, else this would tell nothing
    #expect(ruined >= fates.count / 4 && promoted >= fates.count / 4, "\(figures)")
    #expect(bad * 20 <= fates.count, "\(figures)")
  }
}
