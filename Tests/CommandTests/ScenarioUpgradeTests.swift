import Core
import Foundation
import Glibc
import Testing

/// Databases of every released schema, opened by this program, which is killed while it does so.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ScenarioUpgradeTests {
  /// One file for each schema that was released: `Tests/Fixtures/state-<migration>.sql`.
  private static let released = ["0001"]
  private static let isSlow = ProcessInfo.processInfo.environment["PENSTOCK_SLOW_TESTS"] == "1"

  private static func script(_ schema: String) -> String {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/state-\(schema).sql").path
  }

  /// A workspace whose three runs are done, as that version left it.
  private func place(_ schema: String) async throws -> ScenarioWorkspace {
    let place = try ScenarioWorkspace()
    try place.pipeline(stages: [("one", "exit 0")])
    try FileManager.default.createDirectory(
      atPath: place.path("var/done/01a1fd30-f6bd-76a2-aa12-5c36561facf1"), withIntermediateDirectories: true)
    chmod(place.path("var"), 0o700)
    let said = try await python(place, Self.make, [place.path("var/state.db"), Self.script(schema)])
    #expect(said == "")
    return place
  }

  private func python(_ place: ScenarioWorkspace, _ text: String, _ arguments: [String]) async throws -> String {
    let program = try ScenarioProgram(
      ["/usr/bin/env", "python3", "-c", text] + arguments, environment: ProcessInfo.processInfo.environment,
      logs: place.path("logs/python"))
    let ended = try await program.end()
    return ended.output + ended.complaints
  }

  private static let make = """
    import os, sqlite3, sys
    os.umask(0o077)
    db = sqlite3.connect(sys.argv[1])
    db.execute("pragma journal_mode = wal")
    db.executescript(open(sys.argv[2]).read())
    """

  /// What must be the same before and after: the rows of the runs, however many columns they got; and what is sound.
  private static let judge = """
    import sqlite3, sys
    db = sqlite3.connect("file:" + sys.argv[1] + "?mode=ro", uri=True)
    assert db.execute("pragma integrity_check").fetchone()[0] == "ok"
    assert db.execute("pragma foreign_key_check").fetchone() is None
    rows = db.execute("select number, id, state, drop_name, filed, ended from run where number <= 3 order by 1").fetchall()
    rows += db.execute("select run, stage, n, state, wall_s from attempt where run <= 3 order by 1, 2").fetchall()
    assert len(rows) == 9, rows
    print(len(db.execute("select identifier from grdb_migrations").fetchall()), sorted(map(str, rows)))
    """

  @Test(arguments: released)
  func `S11 an upgrade that is killed at any point has happened or not, and the next start finishes it`(
    schema: String
  ) async throws {
    let place = try await place(schema)
    let shim = try await FaultShim(place)
    let state = place.path("var/state.db")
    let before = try await python(place, Self.judge, [state])
    let rows = before.drop { $0 != " " }
    // every point is a start of its own: a quick test takes the 1st, 2nd, 4th, 8th …
    var (point, killed) = (1, 0)
    while true {
      try await restore(place, schema)
      let up = try await place.penstock(
        "up", "--once",
        wrapped: shim.wrapping(.killing(operations: "write sync rename unlink truncate", file: "/var/", at: point)))
      guard up.code == 128 + SIGKILL else {
        #expect(up.code == 0, "point \(point): \(up.complaints)")
        break
      }
      killed += 1
      #expect(try await python(place, Self.judge, [state]).drop { $0 != " " } == rows, "point \(point)")
      let again = try await place.penstock("up", "--once")
      #expect(again.code == 0, "point \(point): \(again.complaints)")
      let after = try await python(place, Self.judge, [state])
      #expect(after.drop { $0 != " " } == rows, "point \(point)")
      #expect(place.names("var/backups").allSatisfy { $0.hasSuffix(".db") || $0 == ".new" })
      if after.prefix(1) != before.prefix(1) { #expect(!place.names("var/backups").isEmpty, "point \(point)") }
      #expect(try await place.penstock("runs", "--json").code == 0)
      point += Self.isSlow ? 1 : point
    }
    #expect(killed > 4)
  }

  private func restore(_ place: ScenarioWorkspace, _ schema: String) async throws {
    for name in place.names("var") where name.hasPrefix("state.db") { unlink(place.path("var/" + name)) }
    try? FileManager.default.removeItem(atPath: place.path("var/backups"))
    _ = try await python(place, Self.make, [place.path("var/state.db"), Self.script(schema)])
  }

  @Test func `S11 a database whose making is killed at any point is made anew by the next start`() async throws {
    let place = try ScenarioWorkspace()
    let shim = try await FaultShim(place)
    var (point, killed) = (1, 0)
    while true {
      try? FileManager.default.removeItem(atPath: place.path("var"))
      let up = try await place.penstock(
        "up", "--once",
        wrapped: shim.wrapping(
          .killing(operations: "write sync rename unlink truncate", file: "/var/state.db", at: point)))
      guard up.code == 128 + SIGKILL else {
        #expect(up.code == 0, "point \(point): \(up.complaints)")
        break
      }
      killed += 1
      let again = try await place.penstock("up", "--once")
      #expect(again.code == 0, "point \(point): \(again.complaints)")
      point += Self.isSlow ? 1 : point
    }
    #expect(killed > 4)
  }
}
