import Core
import Foundation
import Glibc
import Store
import Testing

/// What Ctrl-C does to runs at work, to hooks, and to those who wait.
@Suite(.timeLimit(.minutes(2))) struct ScenarioStopTests {
  private static let waiting = """
    cat >/dev/null
    touch "$PENSTOCK_HOME/began"
    while [ ! -e "$PENSTOCK_HOME/go" ]; do sleep 0.05; done
    """

  private func place(_ settings: String = "", second: String = "exit 0") throws -> ScenarioWorkspace {
    let place = try ScenarioWorkspace(settings: settings)
    try place.pipeline(stages: [("first", Self.waiting), ("second", second)])
    return place
  }

  private func begun(_ place: ScenarioWorkspace) async throws {
    try await until("the first stage to be at work; \(place.tail)") { place.exists("began") }
  }

  @Test func `a run at work stops at its stage's end, and goes on later without a try lost`() async throws {
    let place = try place("drain: 10m\n")
    let agent = try await place.up()
    try place.drop("a.csv")
    try await begun(place)
    agent.signal(SIGINT)
    try await place.waitForLog("agent is stopping")
    try place.write("go", "")
    #expect(try await agent.end().code == 0)
    let stopped = try #require(try await place.runs().first)
    #expect(stopped.state == .waiting && stopped.reason == "the agent was stopped")
    #expect(try await place.attempts(stopped).map(\.state) == [.ok])
    #expect(
      agent.text.contains(
        "the agent is stopping: interrupted; 1 run may finish the stage at work within 10m, Ctrl-C again ends it now"),
      "\(agent.text)")
    #expect(try await place.penstock("up", "--once").code == 0)
    let run = try #require(try await place.runs().first)
    #expect(run.state == .done)
    #expect(try await place.attempts(run).map { "\($0.stage) \($0.n) \($0.state)" } == ["first 1 ok", "second 1 ok"])
  }

  @Test func `a second Ctrl-C ends hooks too, and the run keeps its outcome`() async throws {
    let place = try place("hook_timeout: 10m\ndrain: 10m\n")
    try place.write("go", "")
    try place.script("hooks/after-run.d/10-slow", "cat >/dev/null; touch \"$PENSTOCK_HOME/hooked\"; exec sleep 300")
    let agent = try await place.up()
    try place.drop("a.csv")
    try await until("the hook to be at work; \(place.tail)") { place.exists("hooked") }
    agent.signal(SIGINT)
    try await place.waitForLog("agent is stopping")
    agent.signal(SIGINT)
    #expect(try await agent.end().code == 0)
    #expect(place.logged("agent ends what runs").count == 1)
    let run = try #require(try await place.runs().first)
    #expect(run.state == .done && run.filed)
    #expect(try await place.hookCalls(run).map(\.decision) == [.error])
    let shown = try await place.penstock("show", "1").output
    #expect(shown.contains("1 hook went wrong; the run went on all the same"), "\(shown)")
    #expect(try await place.penstock("status").output.contains("a.csv: 1 hook went wrong"))
  }

  @Test func `a hook whose word counts is asked again where a second Ctrl-C cut it short`() async throws {
    let place = try ScenarioWorkspace()
    try place.script(
      "slow.sh",
      "cat >/dev/null; [ -e \"$PENSTOCK_HOME/hooked\" ] || { touch \"$PENSTOCK_HOME/hooked\"; exec sleep 300; }")
    try place.pipeline(
      stages: [("only", "echo x >> \"$PENSTOCK_HOME/ran\"")],
      more: "hooks: { after-run: [ { run: [\"./slow.sh\"], timeout: 10m, on_error: fail } ] }\n")
    let agent = try await place.up()
    try place.drop("a.csv")
    try await until("the hook to be at work; \(place.tail)") { place.exists("hooked") }
    for _ in 0..<2 {
      agent.signal(SIGINT)
      try await place.waitForLog("agent is stopping")
    }
    #expect(try await agent.end().code == 0)
    #expect(try await place.runs().map(\.state) == [.waiting])
    #expect(try await place.penstock("up", "--once").code == 0)
    #expect(try await place.runs().map(\.state) == [.done])
    #expect(place.text("ran") == "x\n")
  }

  @Test func `Ctrl-C ends the waiting of run --wait, not the run`() async throws {
    let place = try place()
    let agent = try await place.up()
    try place.write("in.csv", "a\n")
    let waiting = try place.start("run", "p", "--input", place.path("in.csv"), "--wait")
    try await begun(place)
    // the run may begin before the command that asked for it has heard of it
    try await until("the command waits") { try waiting.catches(SIGINT) }
    waiting.signal(SIGINT)
    let ended = try await waiting.end()
    #expect(ended.code == 130)
    #expect(ended.complaints.contains("run 1 goes on: `penstock logs -f 1` follows it, `penstock cancel 1` ends it"))
    try place.write("go", "")
    #expect(try await place.ended(1).map(\.state) == [.done])
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `without an agent run says nothing of an agent that stops, and on what it runs`() async throws {
    let place = try place()
    try place.write("go", "")
    try place.drop("a.csv")
    #expect(try await place.penstock("up", "--once").code == 0)
    let alone = try await place.penstock("run", "p", "--wait")
    #expect(alone.code == 0 && !(alone.output + alone.complaints).contains("stopping"), "\(alone.output)")
    #expect(alone.complaints.contains("run 2 on a.csv, the drop of run 1 begins"), "\(alone.complaints)")
    #expect(alone.output.hasSuffix("run 2 done\n"))
    let listed = try await place.penstock("runs")
    #expect(listed.output.split(separator: "\n")[1].contains("a.csv"), "\(listed.output)")
    #expect(listed.output.split(separator: "\n")[1].hasSuffix("repeats run 1"))
    #expect(
      try await place.penstock("runs", "--json").list("runs").map { $0["drop"] as? String } == ["a.csv", "a.csv"])
    #expect(try await place.penstock("show", "2").output.contains("repeats   run 1, on its drop a.csv"))
  }

  @Test func `the log and status agree how long a run took, and log lines are sentences`() async throws {
    let place = try place(second: "sleep 0.2")
    try place.write("go", "")
    try place.script("hooks/before-run.d/10-slow", "cat >/dev/null; sleep 0.4")
    try place.drop("a.csv")
    #expect(try await place.penstock("up", "--once").code == 0)
    let run = try #require(try await place.runs().first)
    let took = try #require(run.ended).timeIntervalSince(try #require(run.started))
    let said = try #require(place.logged("run ended").first?["seconds"]?.double)
    #expect(abs(said - took) < 0.0015, "\(said) \(took)")
    let lines = try await place.penstock("logs", "--level", "debug").output
    #expect(lines.contains("a.csv lies in done/ now"), "\(lines)")
    #expect(!lines.contains("="), "\(lines)")
  }
}
