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
