import Core
import Foundation
import GRDB
import Testing

@testable import Store

/// Trials and their evaluations: each counts once, and what has ended does not change.
@Suite(.timeLimit(.minutes(1))) struct TrialStoreTests {
  private static func trial(_ pipeline: String = "fx", _ random: UInt64 = 1) -> Trial {
    var chance = SystemRandomNumberGenerator()
    return Trial(
      id: RunID(now: Fixture.noon, using: &chance), pipeline: pipeline, version: "v", origin: .manual,
      data: TrialData(
        drop: Drop(name: FileName("a.csv"), bytes: 3, captures: ["k": "v"]), paths: ["/a.csv"], digests: ["d"]),
      definition: "x", stage: "evaluate", rules: TrialRules(margin: .share(0.02)), plan: ["seed": 1],
      created: Fixture.noon)
  }

  private func observation(_ trial: Trial, _ arm: Int, _ unit: String) -> TrialObservation {
    TrialObservation(trial: trial.number, n: 0, arm: arm, unit: unit, began: Fixture.noon)
  }

  @Test func `a pipeline has one trial at a time, and it is read as it was written`() async throws {
    let store = try StateStore.inMemory()
    var trial = Self.trial()
    trial.number = 1
    #expect(try await store.open(Self.trialLike(trial)) == trial)
    #expect(try await store.reader.openTrial(of: "fx") == trial)
    await #expect(throws: StoreError.self) { try await store.open(Self.trial()) }
    #expect(try await store.open(Self.trial("other")).number == 2)
    let standing = TrialStanding(state: .kept, verdict: ["keep": 1], reason: "nothing pays")
    try await store.put(standing, on: 1, at: Fixture.noon + 5)
    #expect(try await store.reader.openTrial(of: "fx") == nil)
    let ended = try #require(try await store.reader.trial(number: 1))
    #expect(ended.state == .kept && ended.ended == Fixture.noon + 5 && ended.verdict == ["keep": 1])
    // what has ended stays as it is
    try await store.put(TrialStanding(state: .promoted, verdict: nil, reason: ""), on: 1, at: Fixture.noon + 6)
    #expect(try await store.reader.trial(number: 1) == ended)
    #expect(try await store.reader.trials().map(\.number) == [2, 1])
    #expect(try await store.reader.trials(pipeline: "fx", limit: 5).map(\.number) == [1])
  }

  @Test func `a person ends the open trial once, and its verdict stays`() async throws {
    let store = try StateStore.inMemory()
    #expect(try await store.stopTrial(of: "fx", reason: "r", at: Fixture.noon) == nil)
    let trial = try await store.open(Self.trial())
    try await store.put(
      TrialStanding(state: .confirming, verdict: ["continue": 1], reason: "more"), on: 1, at: Fixture.noon)
    let stopped = try #require(try await store.stopTrial(of: "fx", reason: "a person stopped it", at: Fixture.noon + 1))
    #expect(stopped.state == .stopped && stopped.reason == "a person stopped it" && stopped.ended == Fixture.noon + 1)
    #expect(stopped.id == trial.id && stopped.verdict == ["continue": 1])
    #expect(try await store.stopTrial(of: "fx", reason: "again", at: Fixture.noon + 2) == nil)
    // a verdict that comes too late changes nothing and puts nothing in force
    let late = TrialStanding(state: .promoted, verdict: ["promote": 1], reason: "late")
    let policy = try await store.promote(
      "fx", ["train": .fine], trial: 1, basis: StageBasis(), reason: "late", ending: late, at: Fixture.noon + 2)
    #expect(policy == nil)
    #expect(try await !store.put(late, on: 1, at: Fixture.noon + 2))
    #expect(try await store.reader.trial(number: 1) == stopped)
    #expect(try await store.reader.policy(of: "fx").verdict == nil)
  }

  @Test func `a promotion and the end of its trial are one`() async throws {
    let store = try StateStore.inMemory()
    _ = try await store.open(Self.trial())
    let standing = TrialStanding(state: .promoted, verdict: ["promote": 1], reason: "as good")
    let policy = try await store.promote(
      "fx", ["train": .fine], trial: 1, basis: StageBasis(), reason: "as good", ending: standing, at: Fixture.noon + 2)
    #expect(try await store.reader.policy(of: "fx").verdict == policy && policy != nil)
    #expect(try await store.reader.trial(number: 1)?.state == .promoted)
  }

  @Test func `the CPU time of runs, by when they began and by stage`() async throws {
    let store = try StateStore.inMemory()
    #expect(try await store.reader.cpuTime(of: "fx", from: Fixture.noon, to: Fixture.noon + 100) == 0)
    #expect(try await store.reader.latestCPUTime(of: ["train"], of: "fx") == nil)
    for n in 1...4 {
      let run = try await store.claim([NewRun(Fixture.run(n, pipeline: n == 4 ? "other" : "fx"))])[0]
      for (stage, wall) in [("train", Double(n)), ("report", 10)] {
        try await store.begin(run.id, attempt: Fixture.attempt(run.id, stage), at: Fixture.noon)
        try await store.advance(
          Step(
            run: run.id, at: Fixture.noon, closed: [Fixture.attempt(run.id, stage, state: .ok, wall: wall)],
            turn: stage == "report" ? .ends(RunEnding(.done)) : .goesOn))
      }
    }
    // run n began at noon and n seconds; CPU time is half of the wall's
    func cpu(_ from: Double, _ to: Double, _ stages: [String]? = nil) async throws -> Double {
      try await store.reader.cpuTime(of: "fx", from: Fixture.noon + from, to: Fixture.noon + to, stages: stages)
    }
    #expect(try await cpu(0, 100) == 18)
    #expect(try await cpu(0, 100, ["train"]) == 3)
    #expect(try await cpu(2, 3) == 6)
    #expect(try await cpu(2, 100, ["train", "gone"]) == 2.5)
    #expect(try await cpu(9, 100) == 0)
    #expect(try await store.reader.latestCPUTime(of: ["train"], of: "fx") == 1.5)
  }

  private static func trialLike(_ trial: Trial) -> Trial {
    var trial = trial
    trial.number = 0
    return trial
  }

  @Test func `an evaluation counts once, one that was interrupted may be done again`() async throws {
    let store = try StateStore.inMemory()
    let trial = try await store.open(Self.trial())
    var first = try await store.begin(observation(trial, 1, "block:1"))
    #expect(first.n == 1 && first.state == .running)
    try await store.interruptObservations(reason: "the agent died", at: Fixture.noon + 1)
    var second = try await store.begin(observation(trial, 1, "block:1"))
    #expect(second.n == 2)
    (second.state, second.quality, second.cost, second.spent) = (.ok, 0.9, 4, 2)
    second.rows = [1, 0.25, -3.5, .nan]
    second.ended = Fixture.noon + 2
    let standing = TrialStanding(state: .confirming, verdict: ["continue": 1], reason: "more")
    try await store.end(second, standing, at: Fixture.noon + 2)
    #expect(try await store.reader.trial(number: 1)?.state == .confirming)
    await #expect(throws: (any Error).self) { try await store.begin(self.observation(trial, 1, "block:1")) }
    let read = try await store.reader.observations(of: 1, scores: true)
    #expect(read.map(\.state) == [.interrupted, .ok] && read[0].reason == "the agent died")
    #expect(read[1].rows?.dropLast() == [1, 0.25, -3.5] && read[1].rows?.last?.isNaN == true)
    #expect(try await store.reader.observations(of: 1).allSatisfy { $0.rows == nil })
    #expect(try await store.reader.trialSpending(of: "fx", since: Fixture.noon) == 2)
    #expect(try await store.reader.trialSpending(of: "fx", since: Fixture.noon + 3) == 0)
    first.state = .ok
    await #expect(throws: (any Error).self) { try await store.end(first, nil, at: Fixture.noon) }
  }
}
