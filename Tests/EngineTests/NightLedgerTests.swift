import Core
import Foundation
import Store
import Testing
import Trials

@testable import Engine

/// What the night's budget is added up from, out of a real database.
@Suite(.timeLimit(.minutes(1))) struct NightLedgerTests {
  private let store: StateStore
  private let day = 86400.0

  init() throws { store = try StateStore.inMemory() }

  /// A done run of two stages that took so many CPU seconds each.
  private func run(_ n: UInt64, day: Double, train: Double, report: Double) async throws {
    var chance = SystemRandomNumberGenerator()
    let began = Nouns.noon + day * self.day
    let run = Run(
      id: RunID(now: began, using: &chance), pipeline: "fx", version: nil, trigger: .drop, drop: Nouns.run(n).drop,
      created: began)
    func attempt(_ stage: String, _ cpu: Double?) -> Attempt {
      var attempt = Nouns.attempt(stage, 1, cpu == nil ? .running : .ok)
      (attempt.run, attempt.ended) = (run.id, cpu.map { _ in began })
      attempt.usage = cpu.map { ResourceUsage(wall: 1, cpu: $0, peakRSS: nil) }
      return attempt
    }
    _ = try await store.claim([NewRun(run, attempt: attempt("train", nil))])
    try await store.advance(
      Step(run: run.id, at: began, closed: [attempt("train", train)], opened: [attempt("report", nil)]))
    try await store.advance(
      Step(run: run.id, at: began, closed: [attempt("report", report)], turn: .ends(RunEnding(.done))))
  }

  /// A trial that used 30 CPU seconds and found an arm that saves three quarters.
  private func promotion(day: Double) async throws {
    var chance = SystemRandomNumberGenerator()
    let at = Nouns.noon + day * self.day
    let trial = try await store.open(
      Trial(
        id: RunID(now: at, using: &chance), pipeline: "fx", version: "v", origin: .window,
        data: TrialData(drop: Drop(name: FileName("a.csv"), bytes: 1), paths: [], digests: []), definition: "",
        stage: "train", rules: TrialRules(), plan: .null, created: at))
    var one = try await store.begin(TrialObservation(trial: trial.number, n: 0, arm: 0, unit: "block:1", began: at))
    (one.state, one.spent, one.ended) = (.ok, 30, at)
    try await store.end(one, nil, at: at)
    let shown = Promotion(
      arm: 1, e: 50, threshold: 20, blocks: 5, mean: 0,
      interval: Interval(Moments([0, 0.001, -0.001]), confidence: 0.95, floor: 0.0025), saving: 0.75,
      guardRelaxed: false)
    try await store.promote(
      "fx", ["train": .fine], trial: trial.number, basis: StageBasis(["train": [:]]), reason: "r",
      ending: TrialStanding(state: .promoted, verdict: try JSON(encoding: Verdict.promote(shown)), reason: "r"), at: at)
  }

  private func budget(day: Double, since begin: Double? = nil) async throws -> NightBudget {
    try await NightLedger(reader: store.reader, now: Nouns.noon + day * self.day)
      .budget(of: "fx", TrialRules(), since: begin.map { Nouns.noon + $0 * self.day })
  }

  @Test
  func `runs earn, a verdict earns by the stages it was learned on, trials spend, and four weeks later it is over`()
    async throws
  {
    #expect(try await budget(day: 0).allowed == 0)
    try await run(1, day: 1, train: 100, report: 10)
    #expect(try await budget(day: 2) == NightBudget(configured: 2400, share: 0.2, production: 110))
    try await promotion(day: 3)
    // a quarter of the 80 that it was: 60 are saved
    try await run(2, day: 4, train: 20, report: 10)
    let now = try await budget(day: 5, since: 2)
    #expect(now == NightBudget(configured: 2400, share: 0.2, production: 140, saved: 60, spent: 30, tonight: 30))
    #expect(abs(now.allowed - (0.2 * 140 + 30 - 30)) < 1e-9)
    #expect(try await budget(day: 5, since: 4).tonight == 0)
    // what is pinned is a person's doing
    try await store.pin("fx", ["train": .off], basis: StageBasis(), at: Nouns.noon + 6 * day)
    try await run(3, day: 7, train: 1, report: 10)
    #expect(try await budget(day: 8).saved == 60)
    try await store.unpin("fx", at: Nouns.noon + 9 * day)
    try await store.demote("fx", by: .change, reason: "r", at: Nouns.noon + 10 * day)
    try await run(4, day: 11, train: 100, report: 10)
    #expect(
      try await budget(day: 12) == NightBudget(configured: 2400, share: 0.2, production: 261, saved: 60, spent: 30))
    // the first run is 28 days old, then all
    #expect(try await budget(day: 29.5).production == 151)
    #expect(try await budget(day: 50) == NightBudget(configured: 2400, share: 0.2, production: 0))
    #expect(try await NightLedger(reader: store.reader, now: Nouns.noon).fold(of: "fx", stages: ["train"]) == 100)
    #expect(try await NightLedger(reader: store.reader, now: Nouns.noon).fold(of: "fy", stages: ["train"]) == nil)
  }
}
