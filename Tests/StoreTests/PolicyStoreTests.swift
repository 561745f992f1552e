import Core
import Foundation
import GRDB
import Testing

@testable import Store

/// What is in force changes by recorded steps only: promise 7.
@Suite(.timeLimit(.minutes(1))) struct PolicyStoreTests {
  private static let basis = StageBasis(["train": ["params": "ab"]])

  private func promoted(_ store: StateStore, _ level: Granularity = .fine, trial: Int = 3) async throws -> Policy {
    try #require(
      try await store.promote(
        "fx", ["train": level], trial: trial, basis: Self.basis, reason: "as good, half the cost", at: Fixture.noon))
  }

  @Test func `what a trial promotes stands until it is taken back, once`() async throws {
    let store = try StateStore.inMemory()
    #expect(try await store.reader.policy(of: "fx") == PolicyStanding(pipeline: "fx"))
    #expect(try await store.demote("fx", by: .trial(4), reason: "r", at: Fixture.noon) == nil)
    let policy = try await promoted(store)
    #expect(try await store.reader.policy(of: "fx") == PolicyStanding(pipeline: "fx", verdict: policy))
    #expect(policy.levels == ["train": .fine] && policy.source == .trial(3) && policy.basis == Self.basis)
    let step = try #require(try await store.demote("fx", by: .change, reason: "changed", at: Fixture.noon + 1))
    #expect(step.state == .demoted && step.levels == policy.levels && step.source == .change)
    #expect(try await store.demote("fx", by: .change, reason: "changed", at: Fixture.noon + 2) == nil)
    #expect(try await store.reader.policy(of: "fx").verdict == step)
    #expect(try await store.reader.policySteps(of: "fx", limit: 9) == [step, policy])
    #expect(try await store.reader.policies().map(\.pipeline) == ["fx"])
  }

  @Test func `two runs that see the same change take the policy back once, and not the next one`() async throws {
    let store = try StateStore.inMemory()
    let first = try await promoted(store)
    async let one = store.demote("fx", number: first.number, by: .change, reason: "a", at: Fixture.noon)
    async let two = store.demote("fx", number: first.number, by: .change, reason: "b", at: Fixture.noon)
    #expect(try await [one, two].compactMap { $0 }.count == 1)
    let second = try await promoted(store, .medium, trial: 5)
    #expect(try await store.demote("fx", number: first.number, by: .change, reason: "c", at: Fixture.noon) == nil)
    #expect(try await store.reader.policy(of: "fx").verdict == second)
  }

  @Test func `a pin covers what trials say, and letting go uncovers it`() async throws {
    let store = try StateStore.inMemory()
    #expect(try await store.unpin("fx", at: Fixture.noon) == nil)
    let pin = try await store.pin("fx", ["train": .off], basis: Self.basis, at: Fixture.noon)
    let policy = try await promoted(store)
    #expect(try await store.reader.policy(of: "fx") == PolicyStanding(pipeline: "fx", verdict: policy, pin: pin))
    #expect(try await store.unpin("fx", at: Fixture.noon)?.state == .unpinned)
    #expect(try await store.unpin("fx", at: Fixture.noon) == nil)
    #expect(try await store.reader.policy(of: "fx") == PolicyStanding(pipeline: "fx", verdict: policy))
    #expect(try await store.reader.policySteps(of: "fx", limit: 2).map(\.state) == [.unpinned, .inForce])
  }

  @Test(arguments: [
    "UPDATE policy SET levels = '{}'", "DELETE FROM policy",
    "INSERT INTO policy (pipeline, state, levels, source, basis, reason, since) VALUES ('fx', 'in_force', '{}', 'change', '{}', 'r', 1)",
    "INSERT INTO policy (pipeline, state, levels, source, trial, basis, reason, since) VALUES ('fx', 'pinned', '{}', 'trial', 1, '{}', 'r', 1)",
  ])
  func `no step is changed, forgotten, or in force without a verdict`(statement: String) async throws {
    let store = try StateStore.inMemory()
    _ = try await promoted(store)
    await #expect(throws: StoreError.self) { try await store.perform { try $0.execute(sql: statement) } }
    #expect(try await store.reader.policySteps(of: "fx", limit: 9).count == 1)
  }

  @Test func `the metric is that of the latest done run that has it`() async throws {
    let store = try StateStore.inMemory()
    let runs = try await store.claim((1...4).map { NewRun(Fixture.run($0)) })
    for (run, value, state) in [
      (runs[0], 0.5, RunState.done), (runs[1], 0.6, .done), (runs[2], nil, .done), (runs[3], 0.9, .failed),
    ] {
      var attempt = Fixture.attempt(run.id, state: .ok, wall: 1)
      if let value { attempt.metrics = ["accuracy": .number(value)] }
      try await store.advance(
        Step(run: run.id, at: Fixture.noon, closed: [attempt], turn: .ends(RunEnding(state))))
    }
    #expect(try await store.reader.latestMetric("accuracy", of: "fx", limit: 20) == 0.6)
    #expect(try await store.reader.latestMetric("accuracy", of: "fx", limit: 1) == nil)
    #expect(try await store.reader.latestMetric("f1", of: "fx", limit: 20) == nil)
  }

  @Test func `the past in full is told from the rest`() async throws {
    let store = try StateStore.inMemory()
    let runs = try await store.claim((1...3).map { NewRun(Fixture.run($0)) })
    for (run, level) in zip(runs, [Granularity.coarse, .medium, .medium]) {
      var attempt = Fixture.attempt(run.id, state: .ok, wall: level == .coarse ? 9 : 1)
      attempt.granularity = GranularityOpinion(.rule, level, reason: "r")
      try await store.advance(Step(run: run.id, at: Fixture.noon, closed: [attempt], turn: .ends(RunEnding(.done))))
    }
    func walls(_ level: Granularity?) async throws -> [Double?] {
      try await store.reader.stageHistory(pipeline: "fx", stage: "train", limit: 9, level: level).map { $0.usage?.wall }
    }
    #expect(try await walls(.coarse) == [9])
    #expect(try await walls(.medium) == [1, 1])
    #expect(try await walls(nil) == [1, 1, 9])
  }
}
