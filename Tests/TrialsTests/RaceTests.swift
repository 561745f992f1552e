import Core
import Testing
import Trials

@Suite struct RaceTests {
  @Test func `the cheapest arm that is as good is promoted, with its numbers`() {
    let (race, verdict) = SmallTrial(losses: [0, 0, 0, 3], costs: [1, 0.4, 0.7, 0.1]).run()
    guard case .promote(let promotion) = verdict else {
      Issue.record("\(verdict)")
      return
    }
    #expect(promotion.arm == 1)
    #expect(promotion.e >= promotion.threshold)
    #expect(promotion.blocks >= 3)
    #expect(promotion.interval.low > -0.01 && promotion.interval.low < promotion.mean)
    #expect(abs(promotion.saving - 0.6) < 0.1)
    #expect(promotion.guardRelaxed)
    #expect(race.standings.map(\.arm) == [0, 1, 2, 3])
    #expect(race.standings[1].state == .accepted)
    #expect(race.standings[3].state != .accepted)
    #expect(race.standings[1].costIsMeasured)
  }

  @Test func `before there is a block, it says what is missing`() {
    let race = Race(SmallTrial(losses: [0, 0], costs: [1, 0.5]).plan)
    guard case .continue(let outlook) = race.verdict else {
      Issue.record("\(race.verdict)")
      return
    }
    #expect(outlook.blocks >= 3)
    #expect(outlook.missing.contains("v1"))
  }

  @Test func `the control's unit comes first where the bank has none`() {
    let trial = SmallTrial(losses: [0, 0], costs: [1, 0.5])
    var race = Race(trial.plan)
    #expect(race.next() == .evaluate(arm: 0, unit: .block(1)))
    race.bank(block: 1, quality: 0.8, cost: 5)
    #expect(race.next() == .evaluate(arm: 1, unit: .block(1)))
  }

  @Test func `a unit that is there already is not counted again`() {
    let trial = SmallTrial(losses: [0, 0], costs: [1, 0.5])
    var race = Race(trial.plan)
    let control = trial.observation(0, .block(1))
    #expect(race.record(control) == .recorded)
    #expect(race.record(control) == .duplicate)
    #expect(race.record(trial.observation(1, .block(1))) == .recorded)
    #expect(race.record(trial.observation(1, .block(1))) == .duplicate)
    #expect(race.record(Observation(arm: 9, unit: .block(1), quality: 1, cost: 1)) == .unknown)
    #expect(race.standings[1].blocks == 1)
  }

  @Test func `a block counts when all before it are there`() {
    let trial = SmallTrial(losses: [0, 0], costs: [1, 0.5])
    var race = Race(trial.plan)
    for block in [1, 2, 3] { race.record(trial.observation(0, .block(block))) }
    race.record(trial.observation(1, .block(3)))
    race.record(trial.observation(1, .block(2)))
    #expect(race.standings[1].blocks == 0)
    race.record(trial.observation(1, .block(1)))
    #expect(race.standings[1].blocks == 3)
  }

  @Test func `A/A: of two arms that are the same program none is promoted, for no saving is measured`() {
    for seed in 1...100 as ClosedRange<UInt64> {
      let (race, verdict) = SmallTrial(losses: [0, 0], costs: [1, 1], seed: seed).run(atMost: 400)
      #expect(verdict.promoted == nil, "seed \(seed)")
      #expect(race.standings[1].state != .accepted)
    }
  }

  @Test func `A/A: costs that the screening shows too low promote nothing either`() {
    for seed in 1...30 as ClosedRange<UInt64> {
      let trial = SmallTrial(
        losses: Array(repeating: 0, count: 12), costs: [1] + Array(repeating: 1, count: 11), seed: seed)
      var race = Race(trial.plan)
      for _ in 0..<600 {
        guard case .evaluate(let arm, let unit) = race.next() else { break }
        var observation = trial.observation(arm, unit)
        if case .screen = unit, arm > 0 { observation.cost /= 10 }
        race.record(observation)
      }
      #expect(race.verdict.promoted == nil, "seed \(seed)")
    }
  }

  @Test func `an arm that crashes exactly on its bad blocks is never promoted`() {
    for seed in 1...100 as ClosedRange<UInt64> {
      // it loses 4 margins in every third block, and hides those
      var trial = SmallTrial(losses: [0, -0.2], costs: [1, 0.3], seed: seed)
      trial.crashes = { arm, unit in
        guard arm == 1, case .block(let block) = unit else { return false }
        return block % 3 == Int(seed % 3)
      }
      let (race, verdict) = trial.run(atMost: 300)
      #expect(verdict.promoted == nil, "seed \(seed)")
      #expect(race.standings[1].state == .dead)
      #expect(race.standings[1].reason.contains("crashed"))
    }
  }

  @Test func `where the control crashes nothing speaks for an arm`() {
    var trial = SmallTrial(losses: [0, 1.5], costs: [1, 0.3])
    trial.crashes = { arm, _ in arm == 0 }
    #expect(trial.run(atMost: 300).verdict.promoted == nil)
  }

  @Test func `a catastrophe ends an arm at once`() {
    let trial = SmallTrial(losses: [0, 0], costs: [1, 0.3])
    var race = Race(trial.plan)
    race.bank(block: 1, quality: 0.8, cost: 5)
    race.record(Observation(arm: 1, unit: .block(1), quality: 0.3, cost: 1))
    #expect(race.standings[1].state == .dead)
    #expect(race.standings[1].reason.contains("block 1 lost 0.5"))
    guard case .stop(.keep) = race.next() else {
      Issue.record("\(race.next())")
      return
    }
  }

  @Test func `what no saving pays for is not tried, and the reason is said`() {
    var trial = SmallTrial(losses: [0, 0.8], costs: [1, 0.93])
    trial.plan.runsAhead = 20
    let (race, verdict) = trial.run()
    guard case .keep(let reason) = verdict else {
      Issue.record("\(verdict)")
      return
    }
    #expect(reason.contains("pays"))
    #expect(race.standings[1].reason.contains("20 production runs"))
  }

  @Test func `a verdict after so few blocks that they rule out no mean goes through JSON too`() throws {
    // one arm, five margins better in every block alike: four blocks are enough
    var race = Race(SmallTrial(losses: [0, 0], costs: [1, 0.2]).plan)
    while race.verdict.promoted == nil, race.standings[1].blocks < 9 {
      let block = Unit.block(race.standings[1].blocks + 1)
      race.record(Observation(arm: 0, unit: block, quality: 0.8, cost: 5))
      race.record(Observation(arm: 1, unit: block, quality: 0.85, cost: 1))
    }
    guard case .promote(let shown) = race.verdict else {
      Issue.record("\(race.verdict)")
      return
    }
    // its low end says what the promotion says
    #expect(shown.blocks == 4 && shown.interval.low >= -0.01)
    try expectRoundTrip(race.verdict)
    try expectRoundTrip(Interval(low: -.infinity, high: .infinity))
  }

  @Test(arguments: [(1.7e308, -1.7e308), (-1.7e308, 1.7e308), (0, 0), (1e300, 1e300), (1e-300, 3e-300)])
  func `whatever the numbers of an arm and the control, the verdict goes through JSON`(
    arm: Double, control: Double
  ) throws {
    for cost in [0, 1e-300, 1, 1e308] {
      var race = Race(SmallTrial(losses: [0, 0], costs: [1, 0.2], guarding: .required).plan)
      for _ in 0..<40 {
        guard case .evaluate(let number, let unit) = race.next() else { break }
        let quality = number == 0 ? control : arm
        race.record(
          Observation(
            arm: number, unit: unit, quality: quality, cost: number == 0 ? 1 : cost,
            rows: (0..<50).map { Float(quality) * Float($0 % 7) }))
        try expectRoundTrip(race.verdict)
        _ = race.standings
      }
      #expect(arm > -1 || race.verdict.promoted == nil)
    }
  }

  @Test func `plan, observations, verdicts and standings go through JSON`() throws {
    let trial = SmallTrial(losses: [0, 0], costs: [1, 0.5])
    let (race, verdict) = trial.run()
    try expectRoundTrip(trial.plan)
    try expectRoundTrip(trial.observation(1, .screen(fold: 3)))
    try expectRoundTrip(verdict)
    try expectRoundTrip(race.standings)
  }
}
