import Core
import Testing
import Trials

@Suite struct GuardTests {
  @Test func `150 rows cannot certify a margin of 0.005: unresolvable, with the margin they could`() {
    var trial = SmallTrial(losses: [0, 0, 0], costs: [1, 0.4, 0.3], guarding: .required)
    trial.plan.margin = 0.005
    trial.rows = 150
    let (race, verdict) = trial.run()
    guard case .unresolvable(let arm, let smallest) = verdict else {
      Issue.record("\(verdict)")
      return
    }
    #expect(arm > 0)
    #expect(smallest > 0.005 && smallest < 0.1)
    #expect(race.standings[arm].state == .dropped)
    #expect(race.standings[arm].reason.contains("150 rows are too few to certify a margin of 0.005"))
  }

  @Test func `20,000 rows certify it`() {
    var trial = SmallTrial(losses: [0, 0], costs: [1, 0.4], guarding: .required)
    trial.rows = 20_000
    guard case .promote(let promotion) = trial.run().verdict else {
      Issue.record("\(trial.run().verdict)")
      return
    }
    #expect(!promotion.guardRelaxed)
  }

  @Test func `an arm whose rows certify it is not given up while its saving is still to be shown`() {
    var trial = SmallTrial(losses: [0, 0], costs: [1, 0.75], guarding: .required)
    trial.rows = 20_000
    trial.scatter = 0.25
    trial.noise = 0.2
    let (race, verdict) = trial.run(atMost: 400)
    #expect(verdict.promoted == 1)
    #expect(race.standings[1].blocks > 5)
  }

  @Test func `rows that stood against some arms keep the search from paying for all that are alike`() {
    var trial = SmallTrial(
      losses: Array(repeating: 0, count: 7), costs: [1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5], guarding: .required)
    trial.rows = 2_000
    trial.plan.margin = 0.0035
    let race = trial.run().race
    #expect(race.standings.dropFirst().reduce(0) { $0 + $1.blocks } < 60)
  }

  @Test func `a relaxed guard promotes, and the verdict says so`() {
    var trial = SmallTrial(losses: [0, 0], costs: [1, 0.4], guarding: .relaxed)
    trial.plan.margin = 0.005
    trial.rows = 150
    guard case .promote(let promotion) = trial.run().verdict else {
      Issue.record("\(trial.run().verdict)")
      return
    }
    #expect(promotion.guardRelaxed)
  }

  @Test func `without scores of rows nothing is promoted, and the reason is said`() {
    let (race, verdict) = SmallTrial(losses: [0, 0], costs: [1, 0.4], guarding: .required).run()
    #expect(verdict.promoted == nil)
    #expect(race.standings[1].reason.contains("no scores of rows"))
    #expect(race.standings[1].blocks == 3)
  }

  @Test func `the smallest margin is 1.645 · 1.3 errors above the loss`() throws {
    // of 400 rows 8 are worse and 4 better
    let control = (0..<400).map { $0 % 4 == 0 ? 0.0 : 1.0 }
    let differences = (0..<400).map { $0 < 8 ? -1.0 : $0 < 12 ? 1.0 : 0.0 }
    let rows = try #require(RowGuard(differences: differences, control: control, confidence: 0.95))
    #expect(rows.rows == 400)
    #expect(abs(rows.mean + 0.01) < 1e-12)
    #expect(abs(rows.smallestMargin - (1.6448536269514722 * 1.3 * rows.error + 0.01)) < 1e-12)
    #expect(!rows.holds(at: rows.smallestMargin - 1e-6))
    #expect(rows.holds(at: rows.smallestMargin + 1e-6))
  }

  @Test func `rows that were never scored are left out`() throws {
    let rows = try #require(
      RowGuard(differences: [.nan, 0, 0.1, -0.1], control: [.nan, 1, 1, 0], confidence: 0.95))
    #expect(rows.rows == 3)
    #expect(RowGuard(differences: [.nan], control: [.nan], confidence: 0.95) == nil)
  }

  @Test func `no difference on few rows proves little`() throws {
    let control = (0..<100).map { $0 % 10 == 0 ? 0.0 : 1.0 }
    let rows = try #require(
      RowGuard(differences: Array(repeating: 0, count: 100), control: control, confidence: 0.95))
    #expect(rows.smallestMargin > 0.01)
  }

  @Test func `a static data set for a year: wrong by the population in at most four of 100`() {
    // the rows at hand are a sample: what they show is off by the sample's error, which no night makes smaller
    let outcomes = (1...100 as ClosedRange<UInt64>).map { seed in
      let sample = Sample(rows: 500, seed: seed)
      return sample.promotes()
    }
    #expect(outcomes.count { $0 } <= 4)
    #expect((1...100 as ClosedRange<UInt64>).count { Sample(rows: 500, seed: $0, guarding: .relaxed).promotes() } > 20)
    #expect((1...40 as ClosedRange<UInt64>).count { Sample(rows: 500, seed: $0, loss: -0.03).promotes() } > 20)
  }

  /// 500 rows of a population in which an arm loses exactly the margin (or what is said), evaluated for a year.
  private struct Sample {
    var plan: RacePlan
    /// How often the control and the arm are right on each row.
    var right: [(Double, Double)]
    var seed: UInt64

    init(rows: Int, seed: UInt64, loss: Double = 0.02, guarding: RacePlan.Guarding = .required) {
      let arms = [Arm([:]), Arm([:], variant: "v")]
      plan = RacePlan(arms: arms, margin: 0.02, guarding: guarding, seed: seed)
      self.seed = seed
      var dice = Dice(seed: seed &* 131)
      // the arms differ on a tenth of all rows, and more often to the arm's loss; models are nearly sure of each row
      right = (0..<rows).map { _ in
        let kind = dice.uniform()
        if kind < 0.05 + loss / 2 / 0.96 { return (0.98, 0.02) }
        if kind < 0.1 { return (0.02, 0.98) }
        return kind < 0.2 ? (0.02, 0.02) : (0.98, 0.98)
      }
    }

    func promotes() -> Bool {
      var race = Race(plan)
      for _ in 0..<200 {
        guard case .evaluate(let arm, .block(let block)) = race.next() else { break }
        var dice = Dice(seed: seed &* 7919 &+ UInt64(block))
        let rows = right.map { control, other -> Float in dice.uniform() < (arm == 0 ? control : other) ? 1 : 0 }
        let quality = Double(rows.reduce(0, +)) / Double(rows.count)
        race.record(
          Observation(arm: arm, unit: .block(block), quality: quality, cost: arm == 0 ? 5 : 2, rows: rows))
      }
      return race.verdict.promoted != nil
    }
  }
}
