import Core
import Foundation
import Glibc
import Testing

/// What the agent does when its database or the disk below fails it.
@Suite(.serialized, .timeLimit(.minutes(2))) struct ScenarioStateTests {
  private func place(_ settings: String = "") throws -> ScenarioWorkspace {
    let place = try ScenarioWorkspace(settings: settings)
    let effect = "echo \"$PENSTOCK_RUN/$PENSTOCK_STAGE/$PENSTOCK_ATTEMPT\" >> \"$PENSTOCK_HOME/effects\""
    try place.pipeline(stages: [("one", effect), ("two", effect)])
    return place
  }

  /// Every drop ended once, and nothing was executed that no attempt records.
  private func judge(_ place: ScenarioWorkspace, drops: Int) async throws {
    let runs = try await place.runs()
    #expect(runs.count == drops && runs.allSatisfy { $0.state == .done && $0.filed }, "\(place.tail)")
    #expect(Set(runs.compactMap { $0.drop?.name.text }).count == drops)
    #expect(place.filed("done").count == drops && place.names("inbox").isEmpty && place.names("var/work").isEmpty)
    var recorded: Set<String> = []
    for run in runs {
      let attempts = try await place.attempts(run)
      #expect(attempts.count { $0.state == .ok } == 2)
      for attempt in attempts { recorded.insert("\(run.id)/\(attempt.stage)/\(attempt.n)") }
    }
    let effects = place.text("effects").split(separator: "\n").map(String.init)
    #expect(Set(effects).count == effects.count && recorded.isSuperset(of: effects))
  }

  @Test(arguments: [
    ("sync", 1, false), ("sync", 2, true), ("write", 1, false), ("write", 3, true), ("read", 1, false),
    ("sync", 5, true),
  ])
  func `S05 a disk that errs stops the agent with 70, and the next one finishes what it left`(
    operation: String, at: Int, isOnce: Bool
  ) async throws {
    let place = try place()
    try place.drop("0.csv")
    #expect(try await place.penstock("up", "--once").code == 0)
    let shim = try await FaultShim(place)
    let agent = try await place.up(
      wrapped: shim.wrapping(.failing(operations: operation, file: "var/state.db", errno: EIO, at: at, isOnce: isOnce)))
    try await place.waitForLog("pipeline loaded")
    try shim.turn(on: true)
    for n in 1..<12 { try place.drop("\(n).csv") }
    let ended = try await agent.end()
    #expect(ended.code == 70, "\(ended.code) \(ended.complaints)")
    #expect(ended.complaints.contains("var/state.db"), "\(ended.complaints)")
    #expect(try await place.penstock("up", "--once").code == 0)
    try await judge(place, drops: 12)
  }

  @Test func `S08 a disk that is full when outcomes are committed is waited for, said, and nothing is lost`()
    async throws
  {
    let place = try place()
    let shim = try await FaultShim(place)
    let agent = try await place.up(
      wrapped: shim.wrapping(.failing(operations: "write", file: "var/state.db", errno: ENOSPC)))
    try place.drop("0.csv")
    try await place.ended(1)
    try shim.turn(on: true)
    for n in 1..<8 { try place.drop("\(n).csv") }
    try await place.waitForLog("the database needs a person")
    let status = try await place.penstock("status", "--json")
    #expect(status.code == 4 && status.output.contains("the disk is full"), "\(status.output)")
    #expect(try await place.runs().count == 1)
    try shim.turn(on: false)
    try await place.ended(8)
    try await place.waitForLog("the database is well again")
    #expect(try await place.stop(agent).code == 0)
    try await judge(place, drops: 8)
  }

  @Test func `S08 an agent that is stopped while the disk is full ends, and the next one goes on`() async throws {
    let place = try place("drain: 100ms\n")
    let shim = try await FaultShim(place)
    let agent = try await place.up(
      wrapped: shim.wrapping(.failing(operations: "write", file: "var/state.db", errno: ENOSPC)))
    try await place.waitForLog("pipeline loaded")
    try shim.turn(on: true)
    try place.drop("0.csv")
    try await place.waitForLog("the database needs a person")
    let ended = try await place.stop(agent)
    #expect(ended.code == 75 && ended.complaints.contains("the disk is full"), "\(ended.code) \(ended.complaints)")
    #expect(try await place.penstock("up", "--once").code == 0)
    try await judge(place, drops: 1)
  }

  @Test func `S06 a lock that another program holds is said after 5 s, and what waited is recorded afterwards`()
    async throws
  {
    try await hold(for: 8)
  }

  @Test(.enabled(if: ProcessInfo.processInfo.environment["PENSTOCK_SLOW_TESTS"] == "1"), .timeLimit(.minutes(4)))
  func `S06 a lock that is held for a minute loses no outcome`() async throws { try await hold(for: 60) }

  private func hold(for seconds: Int) async throws {
    let place = try place()
    let agent = try await place.up()
    try place.drop("0.csv")
    try await place.ended(1)
    let holder = try ScenarioProgram(
      ["/usr/bin/env", "python3", "-c", Self.holding, place.path("var/state.db"), "\(seconds)"],
      environment: ProcessInfo.processInfo.environment, logs: place.path("logs/holder"))
    try await until("the lock to be held: \(holder.text)") { holder.text.contains("held") }
    for n in 1..<10 { try place.drop("\(n).csv") }
    try await place.waitForLog("the database needs a person")
    #expect(holder.isRunning)
    let status = try await place.penstock("status", "--json")
    #expect(status.code == 4 && status.output.contains("another program holds it locked"), "\(status.output)")
    try await place.ended(10, within: .seconds(90))
    #expect(try await holder.end().code == 0)
    #expect(try await place.stop(agent).code == 0)
    try await judge(place, drops: 10)
  }

  private static let holding = """
    import sqlite3, sys, time
    db = sqlite3.connect(sys.argv[1])
    db.execute("begin immediate")
    print("held", flush=True)
    time.sleep(int(sys.argv[2]))
    """

  @Test(arguments: ["moved", "removed", "replaced"])
  func `S10 a database that is taken away stops an idle agent at once, and is not made anew`(way: String) async throws {
    let place = try place()
    let agent = try await place.up()
    try place.drop("0.csv")
    try await place.ended(1)
    #expect(rename(place.path("var/state.db"), place.path("aside.db")) == 0)
    if way == "replaced" {
      try FileManager.default.copyItem(atPath: place.path("aside.db"), toPath: place.path("var/state.db"))
    }
    if way == "removed" { unlink(place.path("aside.db")) }
    let ended = try await agent.end()
    #expect(ended.code == 70 && ended.complaints.contains("removed or replaced"), "\(ended.complaints)")
    if way == "replaced" { return }
    let again = try await place.penstock("up", "--once")
    #expect(again.code == 70 && again.complaints.contains("is gone"), "\(again.complaints)")
    #expect(!place.exists("var/state.db"))
    #expect(try await place.penstock("status").code == 70)
    if way == "moved" {
      #expect(rename(place.path("aside.db"), place.path("var/state.db")) == 0)
      try place.drop("1.csv")
      #expect(try await place.penstock("up", "--once").code == 0)
      try await judge(place, drops: 2)
    }
  }

  @Test(arguments: [("-wal", false), ("-wal", true), ("-shm", false)])
  func `S10 what SQLite keeps beside the database is not taken away unnoticed, and what stood in it is not lost`(
    suffix: String, isRead: Bool
  ) async throws {
    let place = try place()
    let agent = try await place.up()
    for n in 0..<3 { try place.drop("\(n).csv") }
    try await place.ended(3)
    try await until("all to be filed") { try await place.runs().allSatisfy(\.filed) }
    let reader =
      !isRead
      ? nil
      : try ScenarioProgram(
        ["/usr/bin/env", "python3", "-c", Self.reading, place.path("var/state.db")],
        environment: ProcessInfo.processInfo.environment, logs: place.path("logs/reader"))
    try await until("it to be read") { reader?.text.contains("read") ?? true }
    place.closeReader()
    unlink(place.path("var/state.db" + suffix))
    let ended = try await agent.end()
    #expect(ended.code == 70 && ended.complaints.contains("state.db\(suffix)` is refused"), "\(ended.complaints)")
    #expect(ended.complaints.contains("removed or replaced"))
    reader?.signal(SIGKILL)
    _ = try await reader?.end()
    #expect(try await place.penstock("up", "--once").code == 0)
    try await judge(place, drops: 3)
  }

  /// Keeps the database open, so that nobody else is the last to close it.
  private static let reading = """
    import sqlite3, sys, time
    db = sqlite3.connect(sys.argv[1])
    db.execute("select count(*) from run").fetchall()
    print("read", flush=True)
    time.sleep(1000)
    """

  @Test func `S09 a damaged database stops the start with 70 and the way back, and the way back works`() async throws {
    let place = try place("state: { backup: 1s, keep: 2 }\n")
    try place.drop("0.csv")
    // done and filed before the backup that is put back
    #expect(try await place.penstock("up", "--once").code == 0)
    for name in place.names("var/backups") { unlink(place.path("var/backups/" + name)) }
    let before = place.logged("database backed up").count
    let agent = try await place.up()
    try await until("a backup") { place.logged("database backed up").count > before }
    let backups = place.names("var/backups").count
    #expect((1...2).contains(backups))
    agent.signal(SIGKILL)
    _ = try await agent.end()
    let bytes = place.bytes("var/state.db")
    for name in place.names("var") where name.hasPrefix("state.db-") { unlink(place.path("var/" + name)) }
    try place.write("var/state.db", bytes.prefix(8192) + Data(count: 20_000), mode: 0o600)
    let up = try await place.penstock("up", "--once")
    let backup = "var/backups/" + (place.names("var/backups").last ?? "")
    #expect(up.code == 70 && up.complaints.contains("is damaged"), "\(up.complaints)")
    #expect(up.complaints.contains("cp -p \(place.path(backup)) \(place.path("var/state.db"))"), "\(up.complaints)")
    for name in place.names("var") where name.hasPrefix("state.db") { unlink(place.path("var/" + name)) }
    try FileManager.default.copyItem(atPath: place.path(backup), toPath: place.path("var/state.db"))
    try place.drop("1.csv")
    #expect(try await place.penstock("up", "--once").code == 0)
    #expect(place.filed("done").count == 2)
    #expect(try await place.penstock("status", "--json").code == 3)
  }

  @Test func `S12 two workspaces that share an inbox have one agent`() async throws {
    let place = try place()
    let other = try self.place()
    try FileManager.default.removeItem(atPath: other.path("inbox"))
    try FileManager.default.createSymbolicLink(atPath: other.path("inbox"), withDestinationPath: place.path("inbox"))
    let agent = try await place.up()
    let second = try await other.penstock("up")
    #expect(second.code == 75 && second.complaints.contains("an inbox belongs to one agent"), "\(second.complaints)")
    try place.drop("0.csv")
    try await place.ended(1)
    #expect(try await place.stop(agent).code == 0)
    try other.drop("1.csv")
    #expect(try await other.penstock("up", "--once").code == 0)
    #expect(place.names("inbox").isEmpty && other.filed("done").count == 1)
  }

  @Test func `S12 a workspace that is reached by two paths has one agent`() async throws {
    let place = try place()
    let link = place.path("link")
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: place.home)
    let agent = try await place.up()
    #expect(try await place.penstock("up", "-C", link).code == 75)
    #expect(try await place.stop(agent).code == 0)
  }

  @Test(arguments: [0x6969, 0xFF53_4D42, 0x0102_1997])
  func `S12 a state on a disk that other machines share is refused in words`(magic: Int) async throws {
    let place = try place()
    let shim = try await FaultShim(place)
    let up = try await place.penstock("up", "--once", wrapped: shim.wrapping(.filesystem(magic: magic)))
    #expect(up.code == 70 && up.complaints.contains("which other machines share"), "\(up.complaints)")
    #expect(!place.exists("var/state.db"))
  }

  @Test func `S14 a program has neither the database, nor a lock, nor a socket`() async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(stages: [("look", "ls -l /proc/self/fd > \"$PENSTOCK_HOME/fds\"")])
    try place.script("hooks/before-look.d/10-look", "ls -l /proc/self/fd > \"$PENSTOCK_HOME/hook-fds\"")
    try place.drop("a.csv")
    #expect(try await place.penstock("up", "--once").code == 0)
    for name in ["fds", "hook-fds"] {
      let links = place.text(name).split(separator: "\n").filter { $0.contains(" -> ") }
      #expect(links.count >= 3, "\(place.text(name))")
      for link in links {
        let target = link.components(separatedBy: " -> ")[1]
        let isOwn = target.hasPrefix("/proc/") || target == place.path(name)
        // the envelope is a file in memory
        #expect(isOwn || target.hasPrefix("pipe:") || target.contains("memfd:"), "\(link)")
      }
    }
  }

  @Test func `S15 a clock that is set back a day between attempts keeps nobody waiting, and the order stays`()
    async throws
  {
    let place = try ScenarioWorkspace()
    try place.pipeline(
      stages: [("one", "echo -86400 > \"$PENSTOCK_HOME/clock\"; [ \"$PENSTOCK_ATTEMPT\" = 3 ]")],
      more: "    retry: { attempts: 3, backoff: 500ms }\n")
    let shim = try await FaultShim(place)
    let agent = try await place.up(wrapped: shim.wrapping(.clock))
    try place.drop("a.csv")
    let run = try #require(try await place.ended(1).first)
    let attempts = try await place.attempts(run)
    #expect(run.state == .done && attempts.map(\.n) == [1, 2, 3], "\(place.tail)")
    #expect(attempts[1].started < attempts[0].started)
    try place.drop("b.csv")
    let runs = try await place.ended(2)
    #expect(runs.map(\.number) == [1, 2] && runs[1].created < runs[0].created)
    let listed = try await place.penstock("runs", "--json").output
    #expect(listed.range(of: "b.csv")!.lowerBound < listed.range(of: "a.csv")!.lowerBound)
    #expect(try await place.stop(agent).code == 0)
  }
}
