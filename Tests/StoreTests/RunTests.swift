import Core
import Foundation
import GRDB
import Testing

@testable import Store

@Suite struct RunTests {
  let store: StateStore
  let reader: StateReader

  init() throws {
    store = try StateStore.inMemory()
    reader = store.reader
  }

  @Test(arguments: [
    [0xFF, 0xFE, 0x2E, 0x63], Array("caf\u{E9}.csv".utf8), Array("cafe\u{301}.csv".utf8),
    Array("a\nb\u{202E}".utf8),
    [0x00, 0x41, 0x00],
  ])
  func `the bytes of a name come back as they were`(bytes: [UInt8]) async throws {
    var run = Fixture.run(1)
    run.drop = Drop(name: FileName(bytes), bytes: 3, sha256: nil, captures: ["pair": "é"])
    _ = try await store.claim([NewRun(run)])
    #expect(try await reader.run(matching: .last).drop?.name.bytes == bytes)
  }

  @Test func `every field of a run comes back`() async throws {
    try await store.register(Fixture.version())
    var run = Fixture.run(1, captures: ["pair": "eurusd"])
    run.version = "d1"
    run.trigger = .manual
    run.drop?.sha256 = "ab"
    run.options = RunOptions(granularity: ["train": .fine], set: ["horizon": "2"], useCache: false)
    run.state = .failed
    run.started = Fixture.noon.addingTimeInterval(1)
    run.ended = Fixture.noon.addingTimeInterval(2)
    run.reason = "stage `train` timed out"
    run.failedStage = "train"
    run.filed = true
    run.rerunOf = Fixture.id(0)
    let claimed = try await store.claim([NewRun(run)])
    run.number = 1
    #expect(claimed == [run])
    #expect(try await reader.run(matching: .number(1)) == run)
  }

  @Test func `a waiting run and one without a drop come back`() async throws {
    var run = Run(id: Fixture.id(1), pipeline: "fx", version: nil, trigger: .slot, created: Fixture.noon)
    run.state = .waiting
    run.resumes = Fixture.noon.addingTimeInterval(60)
    _ = try await store.claim([NewRun(run)])
    run.number = 1
    #expect(try await reader.run(matching: .id(run.id)) == run)
  }

  @Test(arguments: RunState.allCases)
  func `every state is accepted`(state: RunState) async throws {
    _ = try await store.claim([NewRun(Fixture.run(1, state: state))])
    #expect(try await reader.run(matching: .last).state == state)
  }

  @Test(arguments: [RunTrigger.drop, .config, .slot, .manual])
  func `every trigger is accepted`(trigger: RunTrigger) async throws {
    var run = Fixture.run(1)
    run.trigger = trigger
    _ = try await store.claim([NewRun(run)])
    #expect(try await reader.run(matching: .last).trigger == trigger)
  }

  @Test func `a claim with an attempt is a running run in one transaction`() async throws {
    let run = Fixture.run(1)
    let before = store.commits
    let claimed = try await store.claim([NewRun(run, attempt: Fixture.attempt(run.id))])
    #expect(store.commits == before + 1)
    #expect(claimed.map(\.state) == [.running])
    #expect(claimed.map(\.started) == [Fixture.noon])
    #expect(try await reader.attempts(of: run.id) == [Fixture.attempt(run.id)])
  }

  @Test func `a run claimed again stays as it stands`() async throws {
    let run = Fixture.run(1)
    _ = try await store.claim([NewRun(run, attempt: Fixture.attempt(run.id))])
    var closed = Fixture.attempt(run.id, state: .ok, wall: 1)
    closed.metrics = ["accuracy": 0.5]
    try await store.advance(
      Step(run: run.id, at: Fixture.noon, closed: [closed], turn: .ends(RunEnding(.done))))
    let again = try await store.claim([
      NewRun(run, attempt: Fixture.attempt(run.id)), NewRun(Fixture.run(2)),
    ])
    #expect(again.map(\.state) == [.done, .queued])
    #expect(again[0].number == 1)
    #expect(again[1].number > 1)
    #expect(try await reader.attempts(of: run.id) == [closed])
  }

  @Test func `a claim that fails leaves nothing of its batch`() async throws {
    var stranger = Fixture.run(2)
    stranger.version = "never registered"
    await #expect(throws: StoreError.self) {
      _ = try await store.claim([NewRun(Fixture.run(1)), NewRun(stranger)])
    }
    #expect(try await reader.runs(limit: 9).isEmpty)
    #expect(try await reader.counts().isEmpty)
  }

  @Test func `numbers are never given twice`() async throws {
    let first = try await store.claim((1...3).map { NewRun(Fixture.run($0)) })
    try store.onWriter { try $0.execute(sql: "DELETE FROM run WHERE number = 3") }
    let next = try await store.claim([NewRun(Fixture.run(4))])
    #expect(first.map(\.number) == [1, 2, 3])
    #expect(next[0].number == 4)
  }

  @Test func `a digest is set once and never to another`() async throws {
    let run = Fixture.run(1)
    _ = try await store.claim([NewRun(run)])
    try await store.setDigest(run.id, sha256: "ab")
    try await store.setDigest(run.id, sha256: "ab")
    await #expect(
      throws: StoreError.conflict("the drop of run 1 has another digest already: its bytes changed")
    ) {
      try await store.setDigest(run.id, sha256: "cd")
    }
    #expect(try await reader.run(matching: .last).drop?.sha256 == "ab")
  }

  @Test func `a digest of a run without a drop is refused`() async throws {
    let run = Run(id: Fixture.id(1), pipeline: "fx", version: nil, trigger: .slot, created: Fixture.noon)
    _ = try await store.claim([NewRun(run)])
    await #expect(throws: StoreError.self) { try await store.setDigest(run.id, sha256: "ab") }
  }

  @Test func `a version is registered once and comes back`() async throws {
    try await store.register(Fixture.version())
    var later = Fixture.version()
    later.loaded = Fixture.noon.addingTimeInterval(99)
    try await store.register(later)
    #expect(try await reader.version(digest: "d1") == Fixture.version())
    #expect(try await reader.version(digest: "d2") == nil)
  }
}
