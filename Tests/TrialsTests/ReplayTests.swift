import Core
import Testing
import TrialWorlds
import Trials

@Suite struct ReplayTests {
  /// What a race did, in the order it did it.
  struct Log {
    var observations: [Observation] = []
    var race: Race

    init(_ world: World, seed: UInt64) {
      race = Race(RacePlan(arms: world.arms, margin: world.margin, runsAhead: 2_000, guarding: .relaxed, seed: seed))
      while case .evaluate(let arm, let unit) = race.next(), observations.count < 1_500 {
        observations.append(world.observe(arm, unit))
        race.record(observations[observations.count - 1])
      }
    }
  }

  @Test(arguments: [1, 2, 3] as [UInt64]) func `every verdict replays bit for bit from the observations`(seed: UInt64) {
    let log = Log(World(stages: 3, seed: seed), seed: seed)
    var race = Race(log.race.plan)
    for observation in log.observations {
      // the race asks again for what was evaluated then
      #expect(race.next() == .evaluate(arm: observation.arm, unit: observation.unit))
      race.record(observation)
    }
    #expect(race.verdict == log.race.verdict)
    #expect(race.standings == log.race.standings)
  }

  @Test func `one look or a thousand, kills and resumes: the same verdict, no block twice, none skipped`() {
    let log = Log(World(stages: 3, seed: 4), seed: 4)
    var race = Race(log.race.plan)
    var dice = Dice(seed: 5)
    for index in log.observations.indices {
      for _ in 0..<Int(dice.next() % 4) {
        _ = race.verdict
        _ = race.standings
        _ = race.next()
      }
      race.record(log.observations[index])
      if dice.uniform() < 0.05 {
        // killed: the next night begins with what is stored, and the last observation is offered once more
        race = Race(log.race.plan)
        for stored in log.observations[...index] { race.record(stored) }
        #expect(race.record(log.observations[index]) == .duplicate)
      }
    }
    #expect(race.standings == log.race.standings)
    for arm in race.plan.arms.indices {
      let blocks = log.observations.compactMap { observation -> Int? in
        guard observation.arm == arm, case .block(let block) = observation.unit else { return nil }
        return block
      }
      if arm > 0 { #expect(blocks == Array(1...(max(1, blocks.count))).prefix(blocks.count).map { $0 }) }
      #expect(Set(blocks).count == blocks.count)
    }
  }

  @Test func `the same blocks give the same evidence, in whatever order arms and control took their turns`() {
    let world = World(stages: 2, seed: 6)
    let plan = RacePlan(arms: Array(world.arms.prefix(5)), margin: world.margin, guarding: .relaxed, seed: 6)
    let units = (0..<5).flatMap { arm in (1...8).map { (arm, $0) } }
    var first: [Standing]?
    var dice = Dice(seed: 7)
    for _ in 0..<20 {
      var race = Race(plan)
      for (arm, block) in units.shuffled(using: &dice) { race.record(world.observe(arm, .block(block))) }
      let standings = race.standings
      if let first {
        #expect(standings.map(\.e) == first.map(\.e))
        #expect(standings.map(\.mean) == first.map(\.mean))
        #expect(standings.map(\.blocks) == first.map(\.blocks))
      }
      first = first ?? standings
    }
  }
}
