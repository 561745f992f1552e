import Core
import Foundation
import Glibc
import Testing

/// The life and the deaths of an agent: what it leaves, and what the next one makes of it.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ScenarioLifeTests {
  /// A stage that waits for `go` the first time, and says that it is at work.
  private let waiting = """
    touch "$PENSTOCK_HOME/began-$PENSTOCK_ATTEMPT"
    while [ ! -e "$PENSTOCK_HOME/go" ]; do sleep 0.05; done
    """

  private func place(_ settings: String = "", more: String = "") throws -> ScenarioWorkspace {
    let place = try ScenarioWorkspace(settings: settings)
    try place.pipeline(stages: [("slow", waiting)], more: more)
    return place
  }

  private func begun(_ place: ScenarioWorkspace, _ n: Int = 1) async throws {
    try await until("attempt \(n) to be at work; \(place.tail)") { place.exists("began-\(n)") }
  }

  @Test func `a second agent is refused with 75 and harms nothing`() async throws {
    let place = try place()
    let agent = try await place.up()
    let second = try await place.penstock("up")
    #expect(second.code == 75 && second.complaints.contains("another agent works in this workspace (pid \(agent.pid))"))
    try place.write("go", "")
    try place.drop("a.csv")
    try await place.ended(1)
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `an agent that starts while a command works alone waits for it, and says so where that takes long`()
    async throws
  {
    let place = try place()
    try place.write("in.csv", "1")
    let alone = try place.start("run", "p", "--input", place.path("in.csv"), "--wait")
    try await begun(place)
    let early = try await place.penstock("up", "--once")
    #expect(early.code == 75 && early.complaints.contains("a command works in this workspace (pid \(alone.pid))"))
    let agent = try place.start("up", "--once")
    try place.write("go", "")
    #expect(try await alone.end().code == 0)
    let ended = try await agent.end()
    #expect(ended.code == 0, "\(ended.complaints)")
  }

  @Test func `SIGTERM lets a running stage finish`() async throws {
    let place = try place()
    let agent = try await place.up()
    try place.drop("a.csv")
    try await begun(place)
    agent.signal(SIGTERM)
    try await place.waitForLog("agent is stopping")
    try place.drop("late.csv")
    try place.write("go", "")
    #expect(try await agent.end().code == 0)
    #expect(try await place.runs().map(\.state) == [.done])
    #expect(place.names("inbox") == ["late.csv"])
    #expect(!place.exists("var/penstock.sock"))
  }

  @Test(arguments: [("drain: 100ms\n", 1), ("", 2)])
  func `a stage that outlasts the drain, or meets a second SIGTERM, is interrupted and goes on later`(
    settings: String, signals: Int
  ) async throws {
    let place = try place(settings)
    let agent = try await place.up()
    try place.drop("a.csv")
    try await begun(place)
    for _ in 0..<signals {
      agent.signal(SIGTERM)
      try await place.waitForLog("agent is stopping")
    }
    #expect(try await agent.end().code == 0)
    #expect(ScenarioProcesses.marked("PENSTOCK_HOME=\(place.home)").isEmpty)
    #expect(try await place.runs().map(\.state) == [.waiting])
    try place.write("go", "")
    #expect(try await place.penstock("up", "--once").code == 0)
    let run = try #require(try await place.runs().first)
    #expect(run.state == .done && run.resumes == nil && run.reason == nil)
    #expect(try await place.attempts(run).map(\.state) == [.interrupted, .ok])
  }

  @Test func `Ctrl-C leaves queued runs that the next agent finishes, each once`() async throws {
    let place = try place("concurrency: 2\n")
    for n in 0..<30 { try place.drop("\(n).csv") }
    let agent = try await place.up()
    try await until("30 recorded runs; \(place.tail)") { try await place.runs().count == 30 }
    try await begun(place)
    agent.signal(SIGINT)
    try await place.waitForLog("agent is stopping")
    agent.signal(SIGINT)
    #expect(try await agent.end().code == 0)
    try place.write("go", "")
    #expect(try await place.penstock("up", "--once").code == 0)
    let runs = try await place.runs()
    #expect(runs.count == 30 && runs.allSatisfy { $0.state == .done && $0.filed })
    for run in runs { #expect(try await place.attempts(run).count { $0.state == .ok } == 1) }
    #expect(place.filed("done").count == 30)
  }

  @Test(arguments: [
    ("retry", RunState.done, [AttemptState.interrupted, .ok]), ("fail", .failed, [.interrupted]),
    ("hold", .waiting, [.interrupted]),
  ])
  func `on_interrupt says what a stage does whose agent was killed`(
    policy: String, state: RunState, attempts: [AttemptState]
  ) async throws {
    let place = try place(more: "    on_interrupt: \(policy)\n")
    let agent = try await place.up()
    try place.drop("a.csv")
    try await begun(place)
    agent.signal(SIGKILL)
    _ = try await agent.end()
    try place.write("go", "")
    let up = try await place.penstock("up", "--once")
    let run = try #require(try await place.runs().first)
    #expect(run.state == state, "\(up.output)")
    #expect(try await place.attempts(run).map(\.state) == attempts)
    #expect(run.filed == state.isTerminal)
    let rows = try place.rows()
    #expect(rows.contains("attempt"))
    try await place.penstock("up", "--once")
    #expect(try place.rows() == rows, "a second restart changes a row")
  }

  @Test(arguments: [4, 5, 10, 12])
  func `an agent that cannot begin for want of descriptors says so, and not that it was called wrongly`(
    limit: Int
  ) async throws {
    let place = try ScenarioWorkspace()
    let up = try await place.penstock(
      "up", "--once", wrapped: ["/bin/sh", "-c", "ulimit -n \(limit); exec \"$@\"", "sh"])
    #expect([70, 75].contains(up.code), "\(up.code): \(up.complaints)")
    #expect(try await place.penstock("up", "--once").code == 0)
  }

  @Test func `kill -9 again and again in a burst: each drop ends once, none is lost`() async throws {
    let place = try ScenarioWorkspace(settings: "concurrency: 3\n")
    try place.pipeline(stages: [("one", "exit 0"), ("two", "exit 0")])
    var dropped = 0
    for _ in 0..<6 {
      let agent = try await place.up()
      for _ in 0..<40 {
        dropped += 1
        try place.drop("\(dropped).csv", "\(dropped)\n")
      }
      let goal = dropped - 25
      try await until("some runs to end; \(place.tail)") {
        try await place.runs().count { $0.state.isTerminal } >= goal - 15
      }
      agent.signal(SIGKILL)
      _ = try await agent.end()
    }
    #expect(try await place.penstock("up", "--once").code == 0)
    let runs = try await place.runs()
    #expect(runs.count == dropped && runs.allSatisfy { $0.state == .done && $0.filed })
    #expect(Set(runs.compactMap { $0.drop?.name.text }) == Set((1...dropped).map { "\($0).csv" }))
    for run in runs { #expect(try await place.attempts(run).count { $0.state == .ok } == 2) }
    #expect(place.filed("done").count == dropped)
    #expect(place.names("inbox").isEmpty && place.names("var/work").isEmpty)
  }

  @Test func `what a crash leaves of a claim, a copy and a filing is taken up`() async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(stages: [("only", "exit 0")])
    try place.drop("filed.csv")
    try place.drop("unfiled.csv")
    #expect(try await place.penstock("up", "--once").code == 0)
    let before = try await place.runs()
    let unfiled = try #require(before.first { $0.drop?.name.text == "unfiled.csv" })
    #expect(rename(place.path("var/done/\(unfiled.id)"), place.path("var/work/\(unfiled.id)")) == 0)
    try await sqlite(place, "update run set filed = 0")
    try place.write("var/work/01a00000-0000-7000-8000-000000000001/adopted.csv", "x")
    try place.write("var/work/01a00000-0000-7000-8000-000000000002/nobody.txt", "x")
    try place.write("var/work/.copy-01a00000-0000-7000-8000-000000000003/torn.csv", "x")
    #expect(mkdir(place.path("var/work/01a00000-0000-7000-8000-000000000004"), 0o700) == 0)
    #expect(try await place.penstock("up", "--once").code == 1)
    #expect(place.names("var/work").isEmpty)
    let runs = try await place.runs()
    #expect(runs.count == 4 && runs.allSatisfy(\.filed))
    #expect(place.text("var/done/\(unfiled.id)/unfiled.csv") == "a,b\n1,2\n")
    #expect(place.text("var/done/01a00000-0000-7000-8000-000000000001/adopted.csv") == "x")
    #expect(place.names("var/quarantine/01a00000-0000-7000-8000-000000000002") == ["nobody.txt", "reason.json"])
    let rows = try place.rows()
    try await place.penstock("up", "--once")
    #expect(try place.rows() == rows)
  }

  @Test func `a stage that begins with its fallback after a crash does not begin anew`() async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(
      stages: [("train", "cat > \"$PENSTOCK_HOME/seen\"; grep -q ridge \"$PENSTOCK_HOME/seen\" || exit 1; \(waiting)")],
      more: "    params: { model: big }\n    fallback: { params: { model: ridge } }\n")
    let agent = try await place.up()
    try place.drop("a.csv")
    try await begun(place, 2)
    agent.signal(SIGKILL)
    _ = try await agent.end()
    try place.write("go", "")
    #expect(try await place.penstock("up", "--once").code == 0)
    let run = try #require(try await place.runs().first)
    #expect(try await place.attempts(run).map(\.state) == [.failed, .interrupted, .ok])
  }

  @Test func `a spawner that is killed takes its programs with it, and the agent goes on`() async throws {
    let place = try place()
    let agent = try await place.up()
    try place.drop("a.csv")
    try await begun(place)
    let spawners = ScenarioProcesses.children(of: agent.pid)
    #expect(spawners.count == 1)
    for spawner in spawners { kill(spawner, SIGKILL) }
    try await until("the attempt to be interrupted; \(place.tail)") {
      try await place.attempts(try #require(try await place.runs().first)).first?.state == .interrupted
    }
    try place.write("go", "")
    let run = try #require(try await place.ended().first)
    #expect(run.state == .done)
    #expect(try await place.attempts(run).map(\.state) == [.interrupted, .ok])
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `no more runs are worked at once than may be`() async throws {
    let place = try ScenarioWorkspace(settings: "concurrency: 3\n")
    try place.pipeline(stages: [
      (
        "count",
        "mkdir \"$PENSTOCK_HOME/now-$PENSTOCK_RUN\"; ls -d \"$PENSTOCK_HOME\"/now-* | wc -l >> \"$PENSTOCK_HOME/counts\"; sleep 0.05; rmdir \"$PENSTOCK_HOME/now-$PENSTOCK_RUN\""
      )
    ])
    for n in 0..<20 { try place.drop("\(n).csv") }
    #expect(try await place.penstock("up", "--once").code == 0)
    let counts = place.text("counts").split(separator: "\n").compactMap { Int($0) }
    #expect(counts.count == 20 && counts.max() == 3)
  }

  @Test func `storage that fails stops the agent with 70, and the next one finishes what it left`() async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(stages: [("one", "exit 0"), ("two", "exit 0")])
    try place.drop("0.csv")
    #expect(try await place.penstock("up", "--once").code == 0)
    for n in 1..<60 { try place.drop("\(n).csv") }
    // no file may grow over 250 KiB: the write-ahead log soon meets it
    let broken = try await place.penstock(
      "up", "--once", wrapped: ["/bin/bash", "-c", "trap '' XFSZ; ulimit -f 250; exec \"$@\"", "bash"])
    #expect(broken.code == 70, "\(broken.code) \(broken.complaints) \(place.tail)")
    #expect(try await place.penstock("up", "--once").code == 0)
    let runs = try await place.runs()
    #expect(runs.count == 60 && runs.allSatisfy { $0.state == .done && $0.filed })
  }

  @Test func `S06 while another program holds the database locked the agent waits, and loses no outcome`() async throws
  {
    let place = try ScenarioWorkspace()
    try place.pipeline(stages: [("one", "exit 0"), ("two", "exit 0")])
    let agent = try await place.up()
    try place.drop("0.csv")
    try await place.ended(1)
    let holder = try ScenarioProgram(
      [
        "/usr/bin/env", "python3", "-c",
        "import sqlite3, sys, time; db = sqlite3.connect(sys.argv[1]); db.execute('begin immediate'); print('held', flush=True); time.sleep(7)",
        place.path("var/state.db"),
      ], environment: ProcessInfo.processInfo.environment, logs: place.path("logs/holder"))
    try await until("the lock to be held: \(holder.text)") { holder.text.contains("held") }
    for n in 1..<10 { try place.drop("\(n).csv") }
    let runs = try await place.ended(10)
    #expect(runs.allSatisfy { $0.state == .done })
    #expect(try await holder.end().code == 0)
    #expect(try await place.stop(agent).code == 0)
  }

  private func sqlite(_ place: ScenarioWorkspace, _ sql: String) async throws {
    let program = try ScenarioProgram(
      [
        "/usr/bin/env", "python3", "-c",
        "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.execute(sys.argv[2]); db.commit()",
        place.path("var/state.db"), sql,
      ],
      environment: ProcessInfo.processInfo.environment, logs: place.path("logs/sql"))
    let ended = try await program.end()
    #expect(ended.code == 0, "\(ended.complaints)")
  }
}
