import Core
import Foundation
import GRDB
import Testing

@testable import Store

@Suite struct ReadingTests {
  let store: StateStore
  let reader: StateReader

  init() throws {
    store = try StateStore.inMemory()
    reader = store.reader
  }

  @Test func `a run is found by number, id, prefix and last`() async throws {
    let runs = try await store.claim((1...3).map { NewRun(Fixture.run($0)) })
    let id = runs[1].id.text
    #expect(try await reader.run(matching: .number(2)) == runs[1])
    #expect(try await reader.run(matching: .id(runs[1].id)) == runs[1])
    #expect(try await reader.run(matching: .prefix(String(id.dropLast()))) == runs[1])
    #expect(try await reader.run(matching: .last) == runs[2])
  }

  @Test func `a prefix of several runs names them`() async throws {
    let runs = try await store.claim((1...7).map { NewRun(Fixture.run($0)) })
    let prefix = String(runs[0].id.text.prefix(8))
    let reference = RunReference.prefix(prefix)
    let error = await #expect(throws: StoreError.self) { _ = try await reader.run(matching: reference) }
    #expect(error == .ambiguous(reference, candidates: Array(runs.prefix(5))))
    #expect(
      error?.description.hasPrefix(
        "`\(prefix)` may be any of run 1 (`\(runs[0].id)`), run 2 (`\(runs[1].id)`)") == true
    )
  }

  @Test(arguments: [
    (RunReference.last, "there are no runs yet"),
    (.number(7), "there is no run `7`; `penstock runs` lists them"),
    (.prefix("0199"), "there is no run `0199`; `penstock runs` lists them"),
  ])
  func `no such run is said in words`(reference: RunReference, words: String) async throws {
    let error = await #expect(throws: StoreError.self) { _ = try await reader.run(matching: reference) }
    #expect(error?.description == words)
  }

  @Test func `runs come newest first, filtered and page by page`() async throws {
    let runs = try await store.claim(
      (1...10).map { NewRun(Fixture.run($0, pipeline: $0.isMultiple(of: 2) ? "even" : "odd")) })
    for run in runs where run.number > 6 {
      try await store.end(run.id, RunEnding(.failed), at: Fixture.noon)
    }
    #expect(try await reader.runs(limit: 3).map(\.number) == [10, 9, 8])
    #expect(try await reader.runs(limit: 3, before: 8).map(\.number) == [7, 6, 5])
    #expect(try await reader.runs(pipeline: "odd", limit: 9).map(\.number) == [9, 7, 5, 3, 1])
    #expect(try await reader.runs(state: .failed, limit: 9).map(\.number) == [10, 9, 8, 7])
    #expect(try await reader.runs(pipeline: "even", state: .queued, limit: 9).map(\.number) == [6, 4, 2])
    #expect(try await reader.runs(pipeline: "neither", limit: 9).isEmpty)
  }

  @Test func `the counters agree with the runs after every change`() async throws {
    for n in 1...12 {
      let run = Fixture.run(n, pipeline: "p\(n % 3)")
      _ = try await store.claim([NewRun(run, attempt: n.isMultiple(of: 2) ? Fixture.attempt(run.id) : nil)])
      if n.isMultiple(of: 4) {
        try await store.advance(
          Step(
            run: run.id, at: Fixture.noon, closed: [Fixture.attempt(run.id, state: .ok)],
            turn: .ends(RunEnding(n == 8 ? .failed : .done))))
      }
    }
    let all = try await reader.runs(limit: 99)
    var counted: [String: Int] = [:]
    for run in all { counted["\(run.pipeline) \(run.state)", default: 0] += 1 }
    let counters = try await reader.counts()
    #expect(counters.reduce(into: [:]) { $0["\($1.pipeline) \($1.state)"] = $1.count } == counted)
    #expect(counters.allSatisfy { $0.count > 0 })
  }

  @Test func `the last run of every pipeline, and the last that ended`() async throws {
    let runs = try await store.claim([
      NewRun(Fixture.run(1, pipeline: "a")), NewRun(Fixture.run(2, pipeline: "b")),
      NewRun(Fixture.run(3, pipeline: "a")), NewRun(Fixture.run(4, pipeline: "a")),
    ])
    try await store.end(runs[0].id, RunEnding(.done), at: Fixture.noon)
    try await store.end(runs[2].id, RunEnding(.failed), at: Fixture.noon)
    #expect(try await reader.lastRunPerPipeline().map(\.number) == [4, 2])
    #expect(try await reader.lastEndedRunPerPipeline().map(\.number) == [3])
  }

  @Test func `failures, quarantine and what is left to file`() async throws {
    let states: [RunState] = [.done, .failed, .quarantined, .cancelled, .quarantined, .running, .failed]
    let runs = try await store.claim(states.enumerated().map { NewRun(Fixture.run($0 + 1, state: $1)) })
    _ = try await store.claim([
      NewRun(
        Run(
          id: Fixture.id(50), pipeline: "fx", version: nil, state: .done, trigger: .slot,
          created: Fixture.noon,
          ended: Fixture.noon))
    ])
    #expect(try await reader.recentFailures(limit: 3).map(\.number) == [7, 5, 3])
    #expect(try await reader.unacknowledgedQuarantine(limit: 9).map(\.number) == [5, 3])
    try await store.acknowledge([runs[4].id], at: Fixture.noon)
    #expect(try await reader.unacknowledgedQuarantine(limit: 9).map(\.number) == [3])
    #expect(try await reader.unfiled().map(\.number) == [1, 2, 3, 4, 5, 7])
    try await store.filed([runs[0].id, runs[6].id])
    #expect(try await reader.unfiled().map(\.number) == [2, 3, 4, 5])
  }

  @Test func `recovery finds what is open, what runs and what is known`() async throws {
    let runs = (1...4).map { Fixture.run($0) }
    _ = try await store.claim(runs.map { NewRun($0) })
    try await store.begin(runs[1].id, attempt: Fixture.attempt(runs[1].id), at: Fixture.noon)
    try await store.park(runs[2].id, until: nil, reason: nil, at: Fixture.noon)
    try await store.end(runs[3].id, RunEnding(.done), at: Fixture.noon)
    #expect(try await reader.openRuns().map(\.state) == [.queued, .running, .waiting])
    #expect(try await reader.runningAttempts() == [Fixture.attempt(runs[1].id)])
    #expect(
      try await reader.knownRunIDs(of: [runs[0].id, Fixture.id(77), runs[3].id]) == [runs[0].id, runs[3].id])
  }

  @Test func `the history of a stage is its last good attempts`() async throws {
    for n in 1...6 {
      let run = Fixture.run(n, pipeline: n == 6 ? "other" : "fx")
      _ = try await store.claim([NewRun(run)])
      let state: AttemptState = n == 4 ? .failed : .ok
      try await store.advance(
        Step(
          run: run.id, at: Fixture.noon,
          closed: [
            Fixture.attempt(run.id, state: state, wall: Double(n)),
            Fixture.attempt(run.id, "clean", state: .ok),
          ],
          turn: .ends(RunEnding(.done))))
    }
    let history = try await reader.stageHistory(pipeline: "fx", stage: "train", limit: 3)
    #expect(history.compactMap(\.usage?.wall) == [5, 3, 2])
    #expect(try await reader.stageHistory(pipeline: "fx", stage: "publish", limit: 3).isEmpty)
  }

  @Test func `the latest done drop is one per captures`() async throws {
    let drops: [(String, RunState)] = [
      ("eurusd", .done), ("gbpusd", .done), ("eurusd", .done), ("gbpusd", .failed), ("usdjpy", .running),
    ]
    _ = try await store.claim(
      drops.enumerated().map { NewRun(Fixture.run($0 + 1, state: $1.1, captures: ["pair": $1.0])) })
    _ = try await store.claim([NewRun(Fixture.run(9, pipeline: "other", state: .done))])
    let latest = try await reader.latestDoneDrop(pipeline: "fx")
    #expect(latest.map(\.number) == [3, 2])
    #expect(latest.map { $0.drop?.captures["pair"] } == ["eurusd", "gbpusd"])
    #expect(try await reader.latestDoneDrop(pipeline: "other").map(\.drop?.captures) == [[:]])
    #expect(try await reader.latestDoneDrop(pipeline: "none").isEmpty)
  }

  @Test func `a config keeps the moment since it is as it is`() async throws {
    var config = ConfigStatus(
      path: "pipelines/fx.yaml", digest: "a", state: .valid, since: Fixture.noon, activeDigest: "a")
    try await store.record(config: config)
    var seenAgain = config
    seenAgain.since = Fixture.noon.addingTimeInterval(60)
    try await store.record(config: seenAgain)
    #expect(try await reader.configs() == [config])
    config.digest = "b"
    config.state = .invalid
    config.diagnostics = [["message": "unknown key `granularty`", "line": 12]]
    config.since = Fixture.noon.addingTimeInterval(120)
    try await store.record(config: config)
    #expect(try await reader.configs() == [config])
    try await store.forget(config: config.path)
    #expect(try await reader.configs().isEmpty)
  }

  @Test func `there is one agent, the last`() async throws {
    #expect(try await reader.agent() == nil)
    try await store.record(agent: AgentRecord(boot: "a", pid: 1, started: Fixture.noon))
    let last = AgentRecord(
      boot: "b", pid: 2, started: Fixture.noon, ended: Fixture.noon.addingTimeInterval(9))
    try await store.record(agent: last)
    #expect(try await reader.agent() == last)
  }

  @Test func `a hook call of no run is kept`() async throws {
    try await store.record([Fixture.hookCall(run: nil)])
    let count = try store.onWriter {
      try Int.fetchOne($0, sql: "SELECT count(*) FROM hook_call WHERE run IS NULL")
    }
    #expect(count == 1)
  }
}
