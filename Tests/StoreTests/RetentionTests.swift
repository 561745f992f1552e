import Core
import Foundation
import GRDB
import Testing

@testable import Store

/// Old runs go, and nothing that is owed or still needed goes with them.
@Suite(.timeLimit(.minutes(5))) struct RetentionTests {
  let store: StateStore
  let soon = Fixture.noon.addingTimeInterval(1)

  init() throws { store = try StateStore.inMemory() }

  /// A run that ended at noon, its drop filed, with an attempt, an artifact and a hook call.
  private func past(
    _ n: Int, _ state: RunState = .done, pipeline: String = "fx", captures: [String: String] = [:], filed: Bool = true
  ) async throws {
    let run = Fixture.run(n, pipeline: pipeline, captures: captures)
    _ = try await store.claim([NewRun(run, attempt: Fixture.attempt(run.id))])
    try await store.advance(
      Step(
        run: run.id, at: Fixture.noon, closed: [Fixture.attempt(run.id, state: .ok, wall: 1)],
        artifacts: [Artifact(stage: "train", name: "m", path: "m", bytes: 1, sha256: "")],
        hookCalls: [Fixture.hookCall(run: run.id)], turn: .ends(RunEnding(state))))
    if filed { try await store.filed([run.id]) }
  }

  private func expired(keeping: Int = 1) async throws -> [Int] {
    try await store.reader.expired(Retention(before: soon, keeping: keeping)).runs.map(\.number)
  }

  private func rows(_ table: String) throws -> Int {
    try store.onWriter { try Int.fetchOne($0, sql: "SELECT count(*) FROM \(table)") ?? -1 }
  }

  @Test func `forgotten runs take their attempts, hook calls and artifacts with them, and the counters follow`()
    async throws
  {
    for n in 1...250 { try await past(n) }
    let old = try await store.reader.expired(Retention(before: soon, keeping: 20)).runs
    #expect(old.map(\.number) == Array(1...230))
    #expect(try await store.forget(runs: old.map(\.id)) == 230)
    for table in ["run", "attempt", "artifact", "hook_call"] { #expect(try rows(table) == 20, "\(table)") }
    #expect(try await store.reader.counts() == [RunCount(pipeline: "fx", state: .done, count: 20)])
    #expect(try await store.forget(runs: old.map(\.id)) == 0)
    // numbers are never given twice
    #expect(try await store.claim([NewRun(Fixture.run(300))])[0].number == 251)
  }

  @Test func `what is owed or still needed stays`() async throws {
    try await past(1)  // repeated by an open run
    try await past(2, filed: false)
    try await past(3, .quarantined)
    try await past(4, captures: ["pair": "eurusd"])  // the latest of its kind
    try await past(5, .failed)
    try await past(6, .failed)
    try await past(7)
    var again = Fixture.run(8)
    again.rerunOf = Fixture.id(1)
    _ = try await store.claim([NewRun(again)])
    #expect(try await expired() == [5])
    #expect(try await store.forget(runs: (1...8).filter { $0 != 5 && $0 != 6 && $0 != 7 }.map(Fixture.id)) == 0)
    #expect(try rows("run") == 8)
    try await store.acknowledge([Fixture.id(3)], at: Fixture.noon)
    try await store.end(again.id, RunEnding(.cancelled), at: Fixture.noon)
    // the newest quarantined one is kept as history
    #expect(try await expired() == [1, 5])
    #expect(try await store.forget(runs: [Fixture.id(3)]) == 1)
  }

  @Test func `a run that ended later than the limit stays`() async throws {
    for n in 1...3 { try await past(n) }
    let page = try await store.reader.expired(Retention(before: Fixture.noon, keeping: 1))
    #expect(page == ExpiredRuns(runs: [], next: nil))
  }

  @Test func `a long history comes in pages`() async throws {
    try store.onWriter { database in
      try database.execute(
        sql: """
          WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
          INSERT INTO run (id, pipeline, state, "trigger", options, created, ended)
          SELECT printf('00000000-0000-7000-8000-%012d', i), 'fx', 'done', 'manual',
            '{"granularity":{},"set":{},"useCache":true}', i, i FROM n
          """)
    }
    var (after, found, pages) = (0 as Int?, 0, 0)
    while let from = after {
      let page = try await store.reader.expired(Retention(before: soon, keeping: 100), after: from)
      (after, found, pages) = (page.next, found + page.runs.count, pages + 1)
    }
    #expect(found == 2400 && pages == 3)
  }

  @Test func `nothing is looked for by reading a whole table, children included`() throws {
    try store.onWriter { database in
      for table in ["attempt", "artifact", "hook_call"] {
        let plan = try Row.fetchAll(
          database, sql: "EXPLAIN QUERY PLAN DELETE FROM \(table) WHERE run = ?", arguments: [1])
        let steps: [String] = plan.compactMap { $0["detail"] }
        #expect(steps.allSatisfy { $0.hasPrefix("SEARCH") }, "\(steps)")
      }
    }
  }
}
