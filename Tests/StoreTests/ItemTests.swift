import Core
import Foundation
import GRDB
import Testing

@testable import Store

@Suite struct ItemTests {
  private let store: StateStore
  private let run = Fixture.id(1)

  init() async throws {
    store = try StateStore.inMemory()
    _ = try await store.claim([NewRun(Fixture.run(1)), NewRun(Fixture.run(2))])
  }

  private func outcome(_ stage: String, _ index: Int, _ state: ItemState = .ok) -> ItemOutcome {
    ItemOutcome(
      stage: stage, index: index, id: "q\(index)", state: state, tries: 1, reason: state == .failed ? "no" : nil,
      data: state == .failed ? nil : "{\"n\":\(index)}", digest: Int64(index))
  }

  private func progress() async throws -> ItemProgress? { try await store.reader.itemProgress(of: run)["a"] }

  @Test func `outcomes are read in the order of the items, and progress follows them`() async throws {
    try await store.openItems(of: run, stages: ["a"], total: 5)
    try await store.record([outcome("a", 3), outcome("a", 0), outcome("a", 1, .failed)], of: run, at: Fixture.noon)
    try await store.record([outcome("a", 2, .skipped)], of: run, at: Fixture.noon)
    let reader = store.reader
    #expect(try await reader.items(of: run, stage: "a", limit: 9).map(\.index) == [0, 1, 2, 3])
    #expect(try await reader.items(of: run, stage: "a", after: 0, failed: false, limit: 1).map(\.index) == [2])
    #expect(try await reader.items(of: run, stage: "a", failed: true, limit: 9) == [outcome("a", 1, .failed)])
    #expect(try await progress() == ItemProgress(stage: "a", total: 5, ok: 2, failed: 1, skipped: 1))
    let found = try await reader.outcomes(of: run, stages: ["a", "b"], from: 1, count: 2)
    #expect(found["a"]?.keys.sorted() == [1, 2] && found["b"] == [:])
  }

  @Test func `another attempt keeps what stands and counts failures anew`() async throws {
    try await store.openItems(of: run, stages: ["a"], total: 3)
    try await store.record([outcome("a", 0), outcome("a", 1, .failed)], of: run, at: Fixture.noon)
    try await store.openItems(of: run, stages: ["a"], total: 3)
    #expect(try await progress() == ItemProgress(stage: "a", total: 3, ok: 1, kept: 1))
    try await store.record([outcome("a", 1), outcome("a", 2)], of: run, at: Fixture.noon)
    #expect(try await progress() == ItemProgress(stage: "a", total: 3, ok: 3, kept: 1))
    try await store.setTotal(["a": 4], of: run)
    #expect(try await progress()?.total == 4)
  }

  @Test func `what is about other items is forgotten and no longer counted`() async throws {
    try await store.openItems(of: run, stages: ["a"], total: 9)
    try await store.record((0..<6).map { outcome("a", $0) }, of: run, at: Fixture.noon)
    try await store.openItems(of: run, stages: ["a"], total: 9)
    try await store.discard([outcome("a", 2)], of: run)
    try await store.discardItems(of: run, stages: ["a"], from: 4)
    #expect(try await store.reader.items(of: run, stage: "a", limit: 9).map(\.index) == [0, 1, 3])
    #expect(try await progress() == ItemProgress(stage: "a", total: 9, ok: 3, kept: 3))
  }

  @Test func `a new run takes over all but the failures`() async throws {
    try await store.openItems(of: run, stages: ["a", "b"], total: 3)
    try await store.record(
      [outcome("a", 0), outcome("a", 1, .failed), outcome("a", 2, .skipped), outcome("b", 0)], of: run, at: Fixture.noon
    )
    let later = Fixture.id(2)
    try await store.takeOverItems(of: ["a"], from: run, to: later)
    #expect(try await store.reader.items(of: later, stage: "a", limit: 9).map(\.index) == [0, 2])
    #expect(try await store.reader.items(of: later, stage: "b", limit: 9).isEmpty)
    try await store.openItems(of: later, stages: ["a"], total: 3)
    #expect(
      try await store.reader.itemProgress(of: later)["a"]
        == ItemProgress(stage: "a", total: 3, ok: 1, skipped: 1, kept: 2))
  }

  @Test func `items go with their run`() async throws {
    try await store.openItems(of: run, stages: ["a"], total: 3)
    try await store.record([outcome("a", 0)], of: run, at: Fixture.noon)
    try store.onWriter { try $0.execute(sql: "DELETE FROM run") }
    #expect(try store.dump("item").isEmpty && store.dump("item_progress").isEmpty)
  }

  @Test func `many items of a run that is forgotten go some at a time`() async throws {
    try await store.openItems(of: run, stages: ["a", "b"], total: 12000)
    for stage in ["a", "b"] {
      try await store.record((0..<12000).map { outcome(stage, $0) }, of: run, at: Fixture.noon)
    }
    let before = store.commits
    // it has not ended: nothing of it may go
    #expect(try await store.forget(runs: [run]) == 0)
    #expect(try store.onWriter { try Int.fetchOne($0, sql: "SELECT count(*) FROM item") } == 24000)
    try await store.end(run, RunEnding(.done), at: Fixture.noon)
    try await store.filed([run])
    // the latest done drop of its kind stays
    let later = Fixture.id(2)
    try await store.end(later, RunEnding(.done), at: Fixture.noon)
    try await store.filed([later])
    #expect(try await store.forget(runs: [run]) == 1)
    #expect(try store.dump("item").isEmpty && store.dump("item_progress").isEmpty)
    #expect(store.commits - before >= 10)
  }
}
