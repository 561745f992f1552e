import Core
import Foundation
import Testing

@testable import Store

@Suite(.timeLimit(.minutes(5))) struct ReaderTests {
  let state: TemporaryState

  init() throws { state = try TemporaryState() }

  @Test func `a reader works while the writer writes, and sees only whole claims`() async throws {
    let store = try StateStore(path: state.path)
    let reader = try StateReader(path: state.path)
    try await withThrowingTaskGroup { group in
      group.addTask {
        for batch in 0..<40 { _ = try await store.claim((1...5).map { NewRun(Fixture.run(batch * 5 + $0)) }) }
      }
      var seen = 0
      while seen < 200 {
        let counted = try await reader.counts().map(\.count).reduce(0, +)
        #expect(counted.isMultiple(of: 5))
        #expect(counted >= seen)
        seen = counted
      }
      try await group.waitForAll()
    }
  }

  @Test func `a reader works with no agent and leaves the database as it was`() async throws {
    let store = try StateStore(path: state.path)
    _ = try await store.claim([NewRun(Fixture.run(1))])
    try store.close()
    #expect(try state.size("state.db-wal") == 0)
    let before = try Data(contentsOf: URL(filePath: state.path))
    let reader = try StateReader(path: state.path)
    #expect(try await reader.runs(limit: 9).count == 1)
    try reader.close()
    #expect(try Data(contentsOf: URL(filePath: state.path)) == before)
    #expect(try await StateStore(path: state.path).reader.runs(limit: 9).count == 1)
  }

  @Test(arguments: [["state.db", "state.db-wal"], ["state.db", "state.db-wal", "state.db-shm"]])
  func `a reader finds what an agent committed before it was killed`(files: [String]) async throws {
    let store = try StateStore(path: state.path)
    _ = try await store.claim([NewRun(Fixture.run(1))])
    let after = try TemporaryState()
    for file in files {
      try FileManager.default.copyItem(
        atPath: state.directory + "/" + file, toPath: after.directory + "/" + file)
    }
    #expect(try await StateReader(path: after.path).runs(limit: 9).map(\.id) == [Fixture.id(1)])
    #expect(try await StateStore(path: after.path).reader.runs(limit: 9).map(\.id) == [Fixture.id(1)])
    withExtendedLifetime(after) {}
  }

  @Test func `another program's reader sees what is committed`() async throws {
    let store = try StateStore(path: state.path)
    _ = try await store.claim([NewRun(Fixture.run(1))])
    let readers = try (1...8).map { _ in try StateReader(path: state.path) }
    for reader in readers { #expect(try await reader.run(matching: .last).id == Fixture.id(1)) }
  }

  @Test func `the log goes into the database when nothing else is to be done`() async throws {
    let store = try StateStore(path: state.path)
    for n in 1...50 { _ = try await store.claim([NewRun(Fixture.run(n))]) }
    #expect(try await store.tidyLog(isQuiet: true).isHeld == false)
    let alone = try TemporaryState()
    try FileManager.default.copyItem(atPath: state.path, toPath: alone.path)
    #expect(try await StateReader(path: alone.path).runs(limit: 99).count == 50)
    withExtendedLifetime(alone) {}
  }
}
