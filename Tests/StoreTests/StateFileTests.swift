import Core
import Foundation
import GRDB
import Testing

@testable import Store

@Suite(.timeLimit(.minutes(5))) struct StateFileTests {
  let state: TemporaryState

  init() throws { state = try TemporaryState() }

  @Test func `the writer has the settings that durability needs`() throws {
    let store = try StateStore(path: state.path)
    let expected: [(String, String)] = [
      ("synchronous", "2"), ("journal_mode", "wal"), ("busy_timeout", "5000"), ("foreign_keys", "1"),
      ("trusted_schema", "0"), ("mmap_size", "0"), ("cell_size_check", "1"), ("temp_store", "2"),
      ("journal_size_limit", "67108864"), ("application_id", "1346719315"), ("wal_autocheckpoint", "1000"),
    ]
    for (name, value) in expected {
      let found = try store.onWriter { try String.fetchOne($0, sql: "PRAGMA \(name)") }
      #expect(found == value, "PRAGMA \(name)")
    }
  }

  @Test func `the reader cannot write`() async throws {
    _ = try StateStore(path: state.path)
    let reader = try StateReader(path: state.path)
    await #expect(throws: (any Error).self) {
      try await reader.read { try $0.execute(sql: "DELETE FROM run") }
    }
    let settings = try await reader.read { database in
      try ["query_only", "trusted_schema", "mmap_size", "busy_timeout"].map {
        try Int.fetchOne(database, sql: "PRAGMA \($0)")
      }
    }
    #expect(settings == [1, 0, 0, 5000])
  }

  @Test func `the file and its companions are their owner's alone`() async throws {
    let store = try StateStore(path: state.path)
    _ = try await store.claim([NewRun(Fixture.run(1))])
    for name in ["state.db", "state.db-wal", "state.db-shm"] {
      #expect(try state.mode(name) == 0o600, "\(name)")
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: state.directory).count == 3)
  }

  @Test func `a file that others can read is made private`() throws {
    try StateStore(path: state.path).close()
    try FileManager.default.setAttributes([.posixPermissions: 0o664], ofItemAtPath: state.path)
    try StateStore(path: state.path).close()
    #expect(try state.mode() == 0o600)
  }

  @Test func `closing leaves an empty log, and it opens again with all that was in it`() async throws {
    let store = try StateStore(path: state.path)
    _ = try await store.claim([NewRun(Fixture.run(1))])
    try store.close()
    #expect(try state.names() == ["state.db", "state.db-shm", "state.db-wal"])
    #expect(try state.size("state.db-wal") == 0)
    let again = try StateStore(path: state.path)
    #expect(try await again.reader.runs(limit: 9).map(\.id) == [Fixture.id(1)])
  }

  @Test func `a store in memory closes too, and then refuses in words`() async throws {
    let store = try StateStore.inMemory()
    try store.close()
    await #expect(throws: StoreError.self) { try await store.filed([Fixture.id(1)]) }
  }

  @Test func `what a half-made file left is made anew`() throws {
    try Data("half".utf8).write(to: URL(filePath: state.path + ".new"))
    try Data("half".utf8).write(to: URL(filePath: state.path + ".new-journal"))
    try StateStore(path: state.path).close()
    #expect(try state.names() == ["state.db", "state.db-shm", "state.db-wal"])
  }

  @Test func `a symbolic link is refused`() throws {
    try StateStore(path: state.path).close()
    let link = state.directory + "/link.db"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: state.path)
    let refusal = StoreError.unsafeFile(path: link, detail: "it is a symbolic link")
    #expect(throws: refusal) { _ = try StateStore(path: link) }
    #expect(throws: refusal) { _ = try StateReader(path: link) }
    #expect(refusal.description == "`\(link)` is refused: it is a symbolic link")
  }

  @Test func `a directory in its place is refused`() throws {
    try FileManager.default.createDirectory(atPath: state.path, withIntermediateDirectories: false)
    #expect(throws: StoreError.unsafeFile(path: state.path, detail: "it is not a regular file")) {
      _ = try StateStore(path: state.path)
    }
  }

  @Test func `no state yet is said in words`() throws {
    let error = #expect(throws: StoreError.self) { _ = try StateReader(path: state.path) }
    #expect(error == .missing(path: state.path))
    #expect(
      error?.description
        == "there is no state at `\(state.path)`: no agent has worked here yet; `penstock up` starts one")
  }

  @Test(arguments: ["", "not a database, but long enough to look at", String(repeating: "x", count: 8192)])
  func `a file that is no database is refused and left as it is`(content: String) throws {
    try Data(content.utf8).write(to: URL(filePath: state.path))
    for open in [{ _ = try StateStore(path: state.path) }, { _ = try StateReader(path: state.path) }] {
      let error = #expect(throws: StoreError.self) { try open() }
      guard case .corrupt(let path, _) = error else {
        Issue.record("not said to be damaged: \(String(describing: error))")
        continue
      }
      #expect(path == state.path)
    }
    #expect(try Data(contentsOf: URL(filePath: state.path)) == Data(content.utf8))
  }

  @Test func `another program's database is refused and left as it is`() throws {
    let other = try DatabaseQueue(path: state.path)
    try other.writeWithoutTransaction {
      try $0.execute(sql: "PRAGMA application_id = 7; CREATE TABLE mine (a)")
    }
    try other.close()
    let before = try Data(contentsOf: URL(filePath: state.path))
    #expect(throws: StoreError.corrupt(path: state.path, detail: "it belongs to another program")) {
      _ = try StateStore(path: state.path)
    }
    #expect(try Data(contentsOf: URL(filePath: state.path)) == before)
  }

  @Test func `pages that were overwritten are found`() async throws {
    let store = try StateStore(path: state.path)
    for n in 1...300 { _ = try await store.claim([NewRun(Fixture.run(n))]) }
    try store.examine()
    try store.close()
    var bytes = try Data(contentsOf: URL(filePath: state.path))
    bytes.replaceSubrange(
      8192..<(bytes.count - 4096), with: Data(repeating: 0xA5, count: bytes.count - 12288))
    try bytes.write(to: URL(filePath: state.path))
    let error = #expect(throws: StoreError.self) {
      let damaged = try StateStore(path: state.path)
      try damaged.examine()
    }
    #expect(error?.isStorageFailure == true)
    #expect(error?.description.contains("is damaged") == true)
  }

  @Test func `a log without its database is refused, not begun anew`() throws {
    try Data("log".utf8).write(to: URL(filePath: state.path + "-wal"))
    #expect(
      throws: StoreError.gone(path: state.path, trace: "`\(state.path)-wal` is still there")
    ) { _ = try StateStore(path: state.path) }
    #expect(!FileManager.default.fileExists(atPath: state.path))
  }

  @Test func `a newer schema is refused by writer and reader`() throws {
    let store = try StateStore(path: state.path)
    try store.onWriter { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('9999')") }
    try store.close()
    let refusal = StoreError.newer(path: state.path, migration: "9999")
    #expect(throws: refusal) { _ = try StateStore(path: state.path) }
    #expect(throws: refusal) { _ = try StateReader(path: state.path) }
    #expect(refusal.description.contains("was written by a newer penstock"))
  }

  @Test func `an older schema waits for the agent`() throws {
    let store = try StateStore(path: state.path)
    try store.onWriter { try $0.execute(sql: "DELETE FROM grdb_migrations") }
    try store.close()
    #expect(throws: StoreError.older(path: state.path)) { _ = try StateReader(path: state.path) }
  }

  @Test func `a state that was taken away while in use is noticed`() throws {
    let store = try StateStore(path: state.path)
    try store.checkInPlace()
    try FileManager.default.moveItem(atPath: state.path, toPath: state.path + ".aside")
    #expect(throws: StoreError.self) { try store.checkInPlace() }
    try StateStore(path: state.directory + "/other.db").close()
    try FileManager.default.moveItem(atPath: state.directory + "/other.db", toPath: state.path)
    #expect(throws: StoreError.self) { try store.checkInPlace() }
  }
}
