import Core
import Foundation
import Testing

@testable import Store

/// A run that went wrong is repeated once, and acknowledged with it.
@Suite(.timeLimit(.minutes(5))) struct RepeatsTests {
  @Test func `a run is repeated once, and the repeated one is acknowledged in the same step`() async throws {
    let store = try StateStore.inMemory()
    let runs = try await store.claim([NewRun(Fixture.run(1)), NewRun(Fixture.run(2)), NewRun(Fixture.run(3))])
    try await store.end(runs[0].id, RunEnding(.failed, reason: "why"), at: Fixture.noon)
    #expect(try await store.reader.repetition(of: runs[0].id) == nil)
    let again = try await store.claim(Fixture.run(4), repeating: runs[0].id)
    #expect(again.rerunOf == runs[0].id && again.number == 4)
    #expect(try await store.reader.run(matching: .number(1)).acknowledged == again.created)
    #expect(try await store.reader.repetition(of: runs[0].id)?.number == 4)
    // the same again is no other run
    #expect(try await store.claim(Fixture.run(4), repeating: runs[0].id) == again)
    await #expect(throws: StoreError.conflict("run 4 is the second try of that run already")) {
      _ = try await store.claim(Fixture.run(5), repeating: runs[0].id)
    }
    #expect(try await store.reader.runs(limit: 9).count == 4)
  }

  @Test func `only what went wrong is acknowledged, once, with its time`() async throws {
    let store = try StateStore.inMemory()
    let runs = try await store.claim((1...3).map { NewRun(Fixture.run($0)) })
    try await store.end(runs[0].id, RunEnding(.done), at: Fixture.noon)
    try await store.end(runs[1].id, RunEnding(.failed), at: Fixture.noon)
    #expect(try await store.reader.recentFailures(limit: 9).map(\.number) == [2])
    #expect(try await store.acknowledge(runs.map(\.id), at: Fixture.noon) == 1)
    #expect(try await store.acknowledge(runs.map(\.id), at: Fixture.noon + 9) == 0)
    #expect(try await store.reader.runs(limit: 9).map(\.acknowledged) == [nil, Fixture.noon, nil])
    #expect(try await store.reader.recentFailures(limit: 9).isEmpty)
  }

  @Test func `runs are found by the bytes of their drop's name`() async throws {
    let store = try StateStore.inMemory()
    var odd = Fixture.run(2)
    odd.drop?.name = FileName([0xFF, 0x61])
    let runs = try await store.claim([NewRun(Fixture.run(1)), NewRun(odd)])
    #expect(try await store.reader.runs(onDrop: FileName([0xFF, 0x61]), limit: 9) == [runs[1]])
    #expect(try await store.reader.runs(onDrop: FileName("\u{FFFD}a"), limit: 9).isEmpty)
  }
}
