import Core
import Foundation
import GRDB
import Testing

@testable import Store

/// The write-ahead log stays short, and nobody who reads keeps it long unnoticed.
@Suite(.timeLimit(.minutes(2))) struct LogTests {
  let state: TemporaryState
  let store: StateStore

  init() throws {
    state = try TemporaryState()
    store = try StateStore(path: state.path)
  }

  private func write(megabytes: Int) async throws {
    for _ in 0..<megabytes {
      try await store.perform {
        try $0.execute(
          sql: "INSERT OR REPLACE INTO config VALUES ('x', NULL, 'valid', hex(randomblob(500000)), 1, NULL)")
      }
    }
  }

  @Test(arguments: [
    (0, true, LogTidying.nothing), (1, true, .write), (1, false, .nothing), (4 << 20, true, .write),
    (5 << 20, true, .cut), (5 << 20, false, .nothing), (65 << 20, false, .cut),
  ])
  func `S07 what is done about the log depends on its length and on how much there is to do`(
    bytes: Int, isQuiet: Bool, advice: LogTidying
  ) {
    #expect(LogTidying.advised(bytes: bytes, isQuiet: isQuiet) == advice)
  }

  @Test func `S07 a reader that stays lets the log grow, it is said so, and afterwards the log is short again`()
    async throws
  {
    var configuration = Configuration()
    configuration.allowsUnsafeTransactions = true
    let reader = try DatabaseQueue(path: state.path, configuration: configuration)
    try await reader.writeWithoutTransaction { database in
      try database.execute(sql: "BEGIN; SELECT count(*) FROM run")
    }
    try await write(megabytes: 70)
    let held = try await store.tidyLog(isQuiet: true)
    #expect(held.isHeld && held.bytes > 64 << 20, "\(held)")
    #expect(!held.isAlarming && LogState(bytes: 256 << 20, isHeld: true).isAlarming)
    try await reader.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
    #expect(try await store.tidyLog(isQuiet: false) == LogState(bytes: 0, isHeld: false))
    #expect(try state.size("state.db-wal") == 0)
  }

  @Test func `S07 without a reader the log stays short by itself`() async throws {
    for _ in 0..<20 { try await write(megabytes: 1) }
    #expect(try state.size("state.db-wal") < 8 << 20)
    #expect(try await store.tidyLog(isQuiet: true).bytes <= 4 << 20)
  }

  @Test func `S07 a reader of a command is stopped after its time, in words, and can read again`() async throws {
    _ = try await store.claim([NewRun(Fixture.run(1))])
    let reader = try StateReader(path: state.path, limit: 1)
    let endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    let error = await #expect(throws: StoreError.self) {
      try await reader.read { try Int.fetchOne($0, sql: endless) }
    }
    #expect(error == .slow(path: state.path, seconds: 1))
    #expect(error?.description.contains("was stopped after 1 s") == true && error?.isTransient == true)
    #expect(try await reader.runs(limit: 9).count == 1)
  }

  @Test func `whoever tidies hears of the next write once, and of the one after only when asked again`() async throws {
    let (rings, bell) = AsyncStream.makeStream(of: Int.self)
    store.whenWritten { bell.yield(1) }
    _ = try await store.claim([NewRun(Fixture.run(1))])
    _ = try await store.claim([NewRun(Fixture.run(2))])
    store.whenWritten { bell.yield(2) }
    _ = try await store.claim([NewRun(Fixture.run(3))])
    bell.finish()
    var heard: [Int] = []
    for await ring in rings { heard.append(ring) }
    #expect(heard == [1, 2])
  }

  @Test func `S07 someone who may only read can, with no agent at work`() async throws {
    _ = try await store.claim([NewRun(Fixture.run(1))])
    try store.close()
    for name in try state.names() { chmod(state.directory + "/" + name, 0o444) }
    chmod(state.directory, 0o555)
    defer { chmod(state.directory, 0o755) }
    chmod(state.directory, 0o555)
    // as another user where this one may do everything
    let command = ["/usr/bin/env", "python3", "-c", Self.count, state.path]
    let nobody = geteuid() == 0 ? ["/usr/bin/env", "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : []
    let counted = try Self.output(nobody + command)
    #expect(counted == "1\n", "\(counted)")
  }

  private static let count = """
    import sqlite3, sys
    db = sqlite3.connect("file:" + sys.argv[1] + "?mode=ro", uri=True)
    print(db.execute("select count(*) from run").fetchone()[0])
    """

  private static func output(_ command: [String]) throws -> String {
    let program = Process()
    program.executableURL = URL(filePath: command[0])
    program.arguments = Array(command.dropFirst())
    let pipe = Pipe()
    program.standardOutput = pipe
    program.standardError = pipe
    try program.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    program.waitUntilExit()
    return String(decoding: output, as: UTF8.self)
  }
}
