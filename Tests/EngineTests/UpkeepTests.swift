import Core
import Foundation
import Store
import Synchronization
import Testing

@testable import Engine

/// Between the writes.
@Suite(.timeLimit(.minutes(3))) struct UpkeepTests {
  @Test func `five quiet seconds after the last write the log is in the database`() async throws {
    let place = try await Aftermath(stages: [])
    let upkeep = Upkeep(bench: place.bench, bell: Bell())
    try await withThrowingTaskGroup { group in
      group.addTask { try await upkeep.run() }
      try await place.runs([1: nil, 2: nil])
      let log = place.home + "/var/state.db-wal"
      while try Data(contentsOf: URL(filePath: log)).isEmpty || !place.isCheckpointed() {
        try await Task.sleep(for: .milliseconds(100))
      }
      upkeep.stop()
      try await group.waitForAll()
    }
    #expect(upkeep.troubles.isEmpty)
  }

  @Test(.enabled(if: ProcessInfo.processInfo.environment["PENSTOCK_SLOW_TESTS"] == "1"))
  func `S07 a reader that is stuck is told of, and when it is gone the log is short within a minute`() async throws {
    let place = try await Aftermath(stages: [])
    let upkeep = Upkeep(bench: place.bench, bell: Bell())
    try await withThrowingTaskGroup { group in
      group.addTask { try await upkeep.run() }
      let reader = try Holding(place.home + "/var/state.db")
      for batch in 0..<270 { try await place.fill(megabytes: 1, name: "\(batch)") }
      while upkeep.troubles.isEmpty { try await Task.sleep(for: .milliseconds(100)) }
      #expect(upkeep.troubles[0].contains("a reader keeps the database's log from being emptied"))
      reader.end()
      let end = ContinuousClock.now + .seconds(60)
      while !upkeep.troubles.isEmpty, ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(100)) }
      let log = try FileManager.default.attributesOfItem(atPath: place.home + "/var/state.db-wal")[.size] as? NSNumber
      #expect(upkeep.troubles.isEmpty && (log?.intValue ?? .max) <= 4 << 20)
      upkeep.stop()
      try await group.waitForAll()
    }
  }
}

/// Another program with a transaction that reads.
private final class Holding {
  private let program = Process()
  private let input = Pipe()

  init(_ path: String) throws {
    let output = Pipe()
    program.executableURL = URL(filePath: "/usr/bin/env")
    program.arguments = ["python3", "-c", Self.text, path]
    program.standardInput = input
    program.standardOutput = output
    try program.run()
    _ = output.fileHandleForReading.availableData
  }

  func end() {
    try? input.fileHandleForWriting.close()
    program.waitUntilExit()
  }

  private static let text = """
    import sqlite3, sys
    db = sqlite3.connect("file:" + sys.argv[1] + "?mode=ro", uri=True, isolation_level=None)
    db.execute("begin")
    db.execute("select count(*) from run").fetchone()
    print("held", flush=True)
    sys.stdin.read()
    """
}
