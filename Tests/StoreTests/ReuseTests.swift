import Core
import Foundation
import Testing

@testable import Store

/// What outcomes depended on, and which may be taken again.
@Suite struct ReuseTests {
  private static let parts = "{\"seed\":42}"

  /// Closes an attempt of a run with a key; returns the run.
  private func settled(
    _ n: Int, in store: StateStore, state: AttemptState = .ok, reuse: Reuse = Reuse(key: "k", parts: ReuseTests.parts)
  ) async throws -> Run {
    let run = try #require(try await store.claim([NewRun(Fixture.run(n))]).first)
    var attempt = Fixture.attempt(run.id, state: state, wall: state == .ok ? 2 : nil)
    attempt.metrics = ["auc": 0.5]
    attempt.reuse = reuse
    let artifact = Artifact(stage: "train", name: "model", path: "train/model", bytes: 1, sha256: "ab")
    try await store.advance(
      Step(run: run.id, at: Fixture.noon, closed: [attempt], artifacts: [artifact], turn: .ends(RunEnding(.done))))
    return run
  }

  @Test func `what ended well is found by its key, with what it left and what it cost`() async throws {
    let store = try StateStore.inMemory()
    #expect(try await store.reader.cached(key: "k") == nil)
    let run = try await settled(1, in: store, reuse: Reuse(key: "k", parts: Self.parts, context: ["a": 1]))
    let found = try #require(try await store.reader.cached(key: "k"))
    #expect(found.run == run.id && found.number == 1 && found.attempt.metrics == ["auc": 0.5])
    #expect(found.artifacts.map(\.path) == ["train/model"] && found.reuse.context == ["a": 1])
    #expect(found.cost?.wall == 2)
    #expect(try await store.reader.reuse(of: run.id) == ["train": [1: found.reuse]])
    #expect(try await store.reader.outcome(of: run.id, stage: "train") == found)
    #expect(try await store.reader.outcome(of: run.id, stage: "none") == nil)
  }

  @Test func `one that was taken from another takes its place, with the cost of the first`() async throws {
    let store = try StateStore.inMemory()
    let first = try await settled(1, in: store)
    let saved = ResourceUsage(wall: 2, cpu: 1, peakRSS: nil)
    let second = try await settled(
      2, in: store, state: .cached, reuse: Reuse(key: "k", parts: Self.parts, source: first.id, saved: saved))
    let found = try #require(try await store.reader.cached(key: "k"))
    #expect(found.run == second.id && found.cost == saved && found.reuse.source == first.id)
    // the older one may be forgotten now, and no newer is lost with it
    try await store.filed([first.id])
    #expect(try await store.forget(runs: [first.id]) == 1)
    #expect(try await store.reader.cached(key: "k")?.run == second.id)
  }

  @Test(arguments: [AttemptState.failed, .timeout, .skipped, .denied, .interrupted])
  func `what did not end well has its parts remembered, and is never found`(state: AttemptState) async throws {
    let store = try StateStore.inMemory()
    let run = try await settled(1, in: store, state: state)
    #expect(try await store.reader.cached(key: "k") == nil)
    #expect(try await store.reader.reuse(of: run.id)["train"]?[1]?.parts == Self.parts)
  }

  @Test func `what is forgotten is not found, with its run or alone`() async throws {
    let store = try StateStore.inMemory()
    let first = try await settled(1, in: store)
    try await store.forgetCached(key: "k", of: Fixture.id(7))
    #expect(try await store.reader.cached(key: "k") != nil)
    try await store.forgetCached(key: "k", of: first.id)
    #expect(try await store.reader.cached(key: "k") == nil)
    let second = try await settled(2, in: store)
    try await store.forgetCached(of: [second.id])
    #expect(try await store.reader.cached(key: "k") == nil)
    // a run that is the latest done one of its kind stays, so there is a third
    let third = try await settled(3, in: store)
    _ = try await settled(4, in: store, reuse: Reuse())
    try await store.filed([first.id, second.id, third.id])
    #expect(try await store.forget(runs: [third.id]) == 1)
    #expect(try await store.reader.cached(key: "k") == nil)
    #expect(try store.dump("reuse").count == 2)
  }

  @Test func `earlier parts are those of the same pipeline and stage, the newest first`() async throws {
    let store = try StateStore.inMemory()
    for n in 1...3 { _ = try await settled(n, in: store) }
    _ = try await settled(4, in: store, reuse: Reuse(context: ["a": 1]))
    let reader = store.reader
    #expect(try await reader.earlierParts(of: "train", in: "fx", before: 3).map(\.number) == [2, 1])
    #expect(try await reader.earlierParts(of: "train", in: "fx", before: 9, runs: 2).map(\.number) == [3])
    #expect(try await reader.earlierParts(of: "train", in: "other", before: 9).isEmpty)
    #expect(try await reader.earlierParts(of: "clean", in: "fx", before: 9).isEmpty)
  }

  @Test func `a run without a drop leads to the run whose drop it reads`() async throws {
    let store = try StateStore.inMemory()
    var runs = [Fixture.run(1), Fixture.run(2), Fixture.run(3)]
    for n in 1...2 { (runs[n].drop, runs[n].rerunOf) = (nil, runs[n - 1].id) }
    let recorded = try await store.claim(runs.map { NewRun($0) })
    #expect(try await store.reader.dropOwner(of: recorded[2])?.id == runs[0].id)
    #expect(try await store.reader.dropOwner(of: recorded[1])?.id == runs[0].id)
    #expect(try await store.reader.dropOwner(of: recorded[0]) == nil)
    runs[2].rerunOf = Fixture.id(9)
    #expect(try await store.reader.dropOwner(of: runs[2]) == nil)
  }
}
