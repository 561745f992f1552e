import Core
import Foundation
import GRDB
import Synchronization
import Testing

@testable import Store

@Suite(.timeLimit(.minutes(5))) struct GroupCommitTests {
  let state: TemporaryState
  let store: StateStore

  init() throws {
    state = try TemporaryState()
    store = try StateStore(path: state.path)
  }

  @Test func `two hundred callers share commits, and one that fails takes nobody with it`() async throws {
    let before = store.commits
    let outcomes = await withTaskGroup { group in
      for n in 1...200 {
        group.addTask {
          var run = Fixture.run(n)
          if n.isMultiple(of: 20) { run.version = "never registered" }
          let claim = NewRun(run)
          return (n, await Result.catching { try await store.claim([claim])[0] })
        }
      }
      return await group.reduce(into: [Int: Result<Run, any Error>]()) { $0[$1.0] = $1.1 }
    }
    let failed = outcomes.filter { (try? $0.value.get()) == nil }.keys.sorted()
    #expect(failed == Array(stride(from: 20, through: 200, by: 20)))
    let numbers = outcomes.values.compactMap { try? $0.get().number }
    #expect(Set(numbers).count == 190)
    #expect(store.commits - before < 200)
    #expect(try await store.reader.runs(limit: 999).count == 190)
    #expect(try await store.reader.counts() == [RunCount(pipeline: "fx", state: .queued, count: 190)])
  }

  @Test func `callers who come during a commit are all in the next one`() async throws {
    let gate = Gate()
    async let first: Void = store.perform { _ in gate.wait() }
    await gate.arrival()
    let before = store.commits
    try await withThrowingTaskGroup { group in
      for n in 1...50 {
        let claim = NewRun(Fixture.run(n))
        group.addTask { _ = try await store.claim([claim]) }
      }
      while store.gathered < 50 { await Task.yield() }
      gate.open()
      try await group.waitForAll()
    }
    try await first
    #expect(store.commits == before + 2)
  }

  @Test func `nobody is answered before it is committed`() async throws {
    let reader = try StateReader(path: state.path)
    for n in 1...20 {
      _ = try await store.claim([NewRun(Fixture.run(n))])
      #expect(try await reader.run(matching: .id(Fixture.id(n))).pipeline == "fx")
    }
  }

  @Test func `a cancelled task's change is made and answered`() async throws {
    let claim = NewRun(Fixture.run(1))
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return try await store.claim([claim])
    }
    #expect(try await task.value.map(\.number) == [1])
  }

  @Test func `after the disk failed nothing more is written`() async throws {
    await #expect(throws: StoreError.self) {
      try await store.perform { _ in throw DatabaseError(resultCode: .SQLITE_IOERR, message: "disk I/O error")
      }
    }
    let error = await #expect(throws: StoreError.self) { try await store.claim([NewRun(Fixture.run(1))]) }
    #expect(error?.isStorageFailure == true)
    #expect(try await store.reader.runs(limit: 9).isEmpty)
  }

  @Test func `a full disk refuses everyone in that commit and later ones go on`() async throws {
    let error = await #expect(throws: StoreError.self) {
      try await store.perform { database in
        try database.execute(sql: "PRAGMA max_page_count = 1")
        try database.execute(
          sql: "INSERT INTO config VALUES ('x', NULL, 'valid', hex(randomblob(1000000)), 1, NULL)")
      }
    }
    #expect(error == .busy(path: state.path, detail: "the disk is full"))
    #expect(error?.isTransient == true)
    try await store.perform { try $0.execute(sql: "PRAGMA max_page_count = 1000000") }
    #expect(try await store.claim([NewRun(Fixture.run(1))])[0].number == 1)
  }

  @Test func `another program's lock is waited for and then said in words`() async throws {
    var configuration = Configuration()
    configuration.allowsUnsafeTransactions = true
    let other = try DatabaseQueue(path: state.path, configuration: configuration)
    try await other.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
    await #expect(
      throws: StoreError.busy(path: state.path, detail: "another program holds it locked for 5 s")
    ) {
      _ = try await store.claim([NewRun(Fixture.run(1))])
    }
    try await other.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
    #expect(try await store.claim([NewRun(Fixture.run(1))])[0].number == 1)
  }
}

extension Result where Failure == any Error {
  fileprivate static func catching(_ body: () async throws -> Success) async -> Self {
    do { return .success(try await body()) } catch { return .failure(error) }
  }
}

/// Holds a thread until it is opened, and tells when it holds one.
private final class Gate: Sendable {
  private let opened = DispatchSemaphore(value: 0)
  private let (arrivals, arrived) = AsyncStream.makeStream(of: Void.self)

  func wait() {
    arrived.yield()
    opened.wait()
  }

  func arrival() async { for await _ in arrivals { return } }

  func open() { opened.signal() }
}
