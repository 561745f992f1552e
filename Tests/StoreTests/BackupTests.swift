import Core
import Foundation
import GRDB
import Synchronization
import Testing

@testable import Store

/// Copies of the database: whole, private, not too many, and one before every upgrade.
@Suite(.timeLimit(.minutes(5))) struct BackupTests {
  let state: TemporaryState

  init() throws { state = try TemporaryState() }

  /// The schema of the next version and of the one after.
  private static let next = Schema(
    migrations: Schema.current.migrations + [
      .init("9001", "ALTER TABLE run ADD COLUMN mood TEXT; CREATE INDEX run_by_mood ON run (mood)"),
      .init("9002", "UPDATE run SET mood = 'good'"),
    ])

  @Test func `a backup is whole, private, and the newest few stay`() async throws {
    let store = try StateStore(path: state.path)
    _ = try await store.claim([NewRun(Fixture.run(1))])
    #expect(store.lastBackup == nil)
    for day in 0..<5 { try store.backUp(now: Fixture.noon.addingTimeInterval(Double(day) * 86400), keep: 3) }
    let kept = try state.names("backups")
    #expect(kept == ["state-20251122T120000Z.db", "state-20251123T120000Z.db", "state-20251124T120000Z.db"])
    #expect(try kept.allSatisfy { try state.mode("backups/" + $0) == 0o600 } && state.mode("backups") == 0o700)
    #expect(store.lastBackup == Date(timeIntervalSince1970: 1_763_640_000 + 4 * 86400))
    let copy = try StateReader(path: state.directory + "/backups/" + kept[2])
    #expect(try await copy.runs(limit: 9).map(\.id) == [Fixture.id(1)])
  }

  @Test func `S11 an upgrade makes a backup, keeps every row and happens once`() async throws {
    let old = try StateStore(path: state.path)
    for n in 1...20 { _ = try await old.claim([NewRun(Fixture.run(n))]) }
    try old.close()
    #expect(throws: StoreError.older(path: state.path)) { _ = try StateReader(path: state.path, schema: Self.next) }
    for _ in 1...2 {
      let new = try StateStore(path: state.path, schema: Self.next, now: Fixture.noon)
      #expect(try new.onWriter { try Int.fetchOne($0, sql: "SELECT count(*) FROM run WHERE mood = 'good'") } == 20)
      #expect(try new.onWriter { try Int.fetchOne($0, sql: "PRAGMA foreign_keys") } == 1)
      try new.close()
    }
    #expect(try state.names("backups") == ["state-20251120T120000Z-before-9002.db"])
    let backup = try StateReader(path: state.directory + "/backups/state-20251120T120000Z-before-9002.db")
    #expect(try await backup.runs(limit: 99).count == 20)
  }

  @Test func `S11 the older program refuses what the newer one made, and leaves it as it is`() throws {
    try StateStore(path: state.path, schema: Self.next).close()
    let before = try Data(contentsOf: URL(filePath: state.path))
    let refusal = StoreError.newer(path: state.path, migration: "9002")
    #expect(throws: refusal) { _ = try StateStore(path: state.path) }
    #expect(throws: refusal) { _ = try StateReader(path: state.path) }
    #expect(refusal.description.contains("newer penstock") && refusal.description.contains("backup"))
    #expect(try Data(contentsOf: URL(filePath: state.path)) == before)
  }

  @Test func `S11 an upgrade that fails at its last step has done nothing`() async throws {
    let old = try StateStore(path: state.path)
    _ = try await old.claim([NewRun(Fixture.run(1))])
    try old.close()
    for wrong in [
      "SELECT nonsense",
      "INSERT INTO attempt SELECT 77, 's', 1, 'ok', 'fine', 'fixed', '', NULL, 1, 1, 1, 0, NULL, NULL, NULL, NULL, NULL, NULL, '', '', ''",
    ] {
      var broken = Self.next
      broken.migrations.append(.init("9003", wrong))
      #expect(throws: (any Error).self) { _ = try StateStore(path: state.path, schema: broken) }
    }
    let again = try StateStore(path: state.path)
    #expect(try await again.reader.runs(limit: 9).count == 1)
    #expect(try again.onWriter { try !$0.columns(in: "run").contains { $0.name == "mood" } })
  }

  @Test func `S13 every transaction that writes says so from its beginning`() async throws {
    let heard = Heard()
    let store = try StateStore(path: state.path, trace: { heard.hear($0) })
    var run = Fixture.run(1)
    run = try await store.claim([NewRun(run, attempt: Fixture.attempt(run.id))])[0]
    try await store.advance(
      Step(
        run: run.id, at: Fixture.noon, closed: [Fixture.attempt(run.id, state: .ok, wall: 1)],
        turn: .ends(RunEnding(.done))))
    try await store.filed([run.id])
    try await store.forget(runs: [run.id])
    _ = try await store.tidyLog(isQuiet: true)
    try StateStore(path: state.path, schema: Self.next, trace: { heard.hear($0) }).close()
    let statements = heard.all
    #expect(statements.count { $0.hasPrefix("BEGIN IMMEDIATE") } >= 5)
    var mode = ""
    for statement in statements {
      if statement.hasPrefix("BEGIN") { mode = statement }
      let isWrite = statement.firstMatch(of: /^\s*(INSERT|UPDATE|DELETE|REPLACE|CREATE|ALTER)\b/) != nil
      if isWrite, !statement.contains("grdb_migrations (identifier") {
        #expect(mode.hasPrefix("BEGIN IMMEDIATE"), "\(mode): \(statement)")
      }
    }
  }

  @Test func `S15 attempts and runs keep their order when the clock is set back`() async throws {
    let store = try StateStore(path: state.path)
    for n in 1...3 {
      var run = Fixture.run(10 - n)
      run.created = Fixture.noon.addingTimeInterval(Double(-n) * 86400)
      _ = try await store.claim([NewRun(run)])
    }
    let first = Fixture.id(9)
    for n in 1...4 {
      var attempt = Fixture.attempt(first, n: n)
      attempt.started = Fixture.noon.addingTimeInterval(Double(-n) * 3600)
      try await store.begin(first, attempt: attempt, at: attempt.started)
      attempt.state = .failed
      attempt.ended = Fixture.noon.addingTimeInterval(Double(-n) * 3600 - 60)
      try await store.advance(Step(run: first, at: attempt.started, closed: [attempt]))
    }
    #expect(try await store.reader.attempts(of: first).map(\.n) == [1, 2, 3, 4])
    #expect(try await store.reader.openRuns().map(\.id) == [Fixture.id(9), Fixture.id(8), Fixture.id(7)])
    #expect(try await store.reader.run(matching: .last).id == Fixture.id(7))
    #expect(try await store.reader.runs(limit: 9).map(\.number) == [3, 2, 1])
  }
}

/// Every statement, in the order of its connection's.
private final class Heard: Sendable {
  private let heard = Mutex<[String]>([])
  var all: [String] { heard.withLock { $0 } }
  func hear(_ sql: String) { heard.withLock { $0.append(sql) } }
}
