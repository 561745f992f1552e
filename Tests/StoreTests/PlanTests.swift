import Core
import Foundation
import GRDB
import Synchronization
import Testing

@testable import Store

/// No statement of the store may read a whole table of runs, whatever it is asked.
@Suite struct PlanTests {
  @Test func `nothing scans the runs or their attempts`() async throws {
    let heard = Statements()
    let store = try StateStore.inMemory(trace: { heard.hear($0) })
    try await Self.writeEverything(store)
    try await Self.readEverything(store.reader)
    let statements = heard.all.filter { $0.firstMatch(of: /^\s*(SELECT|WITH|INSERT|UPDATE|DELETE)\b/) != nil }
    #expect(statements.count > 35)
    let partial = try store.onWriter {
      try String.fetchAll(
        $0, sql: "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql LIKE '% WHERE %'")
    }
    #expect(partial.contains("run_open"))
    // what these have grows with the history: a scan of them is one that ends early, by its LIMIT
    let growing: Set = ["run_failure", "run_unacknowledged", "run_done_drop", "hook_call_by_run"]
    for sql in statements {
      for step in try Self.plan(store, sql) {
        let short = partial.filter { !growing.contains($0) || sql.contains("LIMIT") }
        #expect(!Self.isScan(step, partial: short), "\(step) in \(sql)")
        #expect(!step.contains("AUTOMATIC"), "\(step) in \(sql)")
        if sql.contains("FROM run"), sql.hasPrefix("SELECT run.number") {
          #expect(!step.contains("TEMP B-TREE"), "\(step) in \(sql)")
        }
      }
    }
  }

  @Test func `a scan would be seen`() async throws {
    let store = try StateStore.inMemory()
    let plan = try Self.plan(store, "SELECT count(*) FROM run WHERE reason = ?")
    #expect(plan.contains { Self.isScan($0, partial: []) })
  }

  private static func isScan(_ step: String, partial: [String]) -> Bool {
    guard step.firstMatch(of: /^SCAN (run|attempt|artifact|hook_call|pipeline_version|reuse|cache)\b/) != nil else {
      return false
    }
    return !partial.contains { step.hasSuffix("INDEX \($0)") }
  }

  private static func plan(_ store: StateStore, _ sql: String) throws -> [String] {
    try store.onWriter { database in
      let statement = try database.makeStatement(sql: "EXPLAIN QUERY PLAN " + sql)
      statement.setUncheckedArguments([])
      return try Row.fetchAll(statement).compactMap { $0["detail"] }
    }
  }

  private static func writeEverything(_ store: StateStore) async throws {
    let runs = (1...6).map { Fixture.run($0, captures: ["pair": $0 < 4 ? "eurusd" : "gbpusd"]) }
    try await store.register(Fixture.version())
    _ = try await store.claim(runs.map { NewRun($0) })
    try await store.begin(runs[0].id, attempt: Fixture.attempt(runs[0].id), at: Fixture.noon)
    try await store.setDigest(runs[0].id, sha256: "ab")
    try await store.advance(
      Step(
        run: runs[0].id, at: Fixture.noon, closed: [Fixture.attempt(runs[0].id, state: .ok, wall: 1)],
        artifacts: [Artifact(stage: "train", name: "m", path: "m", bytes: 1, sha256: "")],
        hookCalls: [Fixture.hookCall(run: runs[0].id)], context: [:], turn: .ends(RunEnding(.done))))
    try await store.park(runs[1].id, until: Fixture.noon, reason: "later", at: Fixture.noon)
    try await store.begin(runs[2].id, attempt: Fixture.attempt(runs[2].id), at: Fixture.noon)
    try await store.interrupt([Fixture.attempt(runs[2].id)], reason: "why", at: Fixture.noon)
    try await store.end(runs[2].id, RunEnding(.failed), at: Fixture.noon)
    try await store.end(runs[3].id, RunEnding(.quarantined), at: Fixture.noon)
    var kept = Fixture.attempt(runs[4].id, state: .ok)
    kept.reuse = Reuse(key: "k", parts: "{}")
    try await store.advance(Step(run: runs[4].id, at: Fixture.noon, closed: [kept]))
    try await store.forgetCached(key: "k", of: runs[4].id)
    try await store.forgetCached(of: [runs[4].id])
    try await store.filed([runs[0].id])
    try await store.forget(runs: [runs[0].id])
    try await store.acknowledge([runs[3].id], at: Fixture.noon)
    try await store.record([Fixture.hookCall(run: nil)])
    try await store.record(
      config: ConfigStatus(path: "p", digest: nil, state: .invalid, since: Fixture.noon, activeDigest: nil))
    try await store.forget(config: "p")
    try await store.record(agent: AgentRecord(boot: "b", pid: 1, started: Fixture.noon))
  }

  private static func readEverything(_ reader: StateReader) async throws {
    let id = Fixture.id(1)
    for reference in [RunReference.number(1), .id(id), .last] {
      _ = try await reader.run(matching: reference)
    }
    _ = try? await reader.run(matching: .prefix("0000"))
    for pipeline in [nil, "fx"] {
      for state in [nil, RunState.done] {
        _ = try await reader.runs(pipeline: pipeline, state: state, limit: 5)
      }
    }
    _ = try await reader.context(of: id)
    _ = try await reader.attempts(of: id)
    _ = try await reader.hookCalls(of: id)
    _ = try await reader.artifacts(of: id)
    _ = try await reader.version(digest: "d1")
    _ = try await reader.counts()
    _ = try await reader.lastRunPerPipeline()
    _ = try await reader.lastEndedRunPerPipeline()
    _ = try await reader.recentFailures(limit: 5)
    _ = try await reader.runs(onDrop: FileName("a"), limit: 5)
    _ = try await reader.repetition(of: id)
    _ = try await reader.hookFailures(of: [id])
    _ = try await reader.unacknowledgedQuarantine(limit: 5)
    _ = try await reader.configs()
    _ = try await reader.agent()
    _ = try await reader.cpuTime(of: "fx", from: Fixture.noon, to: Fixture.noon + 9)
    _ = try await reader.cpuTime(of: "fx", from: Fixture.noon, to: Fixture.noon + 9, stages: ["train"])
    _ = try await reader.latestCPUTime(of: ["train"], of: "fx")
    _ = try await reader.openRuns()
    _ = try await reader.oldest(in: [.queued, .waiting], limit: 5)
    _ = try await reader.runningAttempts()
    _ = try await reader.unfiled()
    _ = try await reader.knownRunIDs(of: [id])
    _ = try await reader.stageHistory(pipeline: "fx", stage: "train", limit: 5)
    _ = try await reader.latestDoneDrop(pipeline: "fx")
    _ = try await reader.cached(key: "k")
    _ = try await reader.outcome(of: Fixture.id(5), stage: "train")
    _ = try await reader.reuse(of: Fixture.id(5))
    _ = try await reader.earlierParts(of: "train", in: "fx", before: 6)
    var dropless = Fixture.run(9)
    (dropless.drop, dropless.rerunOf) = (nil, id)
    _ = try await reader.dropOwner(of: dropless)
    _ = try await reader.expired(Retention(before: Fixture.noon))
  }
}

/// Every statement that was run, each once.
private final class Statements: Sendable {
  private let heard = Mutex<Set<String>>([])

  var all: Set<String> { heard.withLock { $0 } }

  func hear(_ sql: String) { heard.withLock { _ = $0.insert(sql) } }
}
