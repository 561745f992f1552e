import Core
import Foundation
import Testing

/// The acceptance of the first issue, with the real program.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ScenarioIssueTests {
  @Test func `a drop runs through its stages to done, byte for byte`() async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(stages: [
      ("first", "cat >envelope.json; echo '{\"outputs\":[{\"name\":\"copy\",\"path\":\"envelope.json\"}]}'"),
      ("second", "cat >seen.json; echo '{\"outputs\":[{\"name\":\"seen\",\"path\":\"seen.json\"}]}'"),
    ])
    try place.drop("a.csv", "x\n1\n")
    let up = try await place.penstock("up", "--once")
    #expect(up.code == 0)
    let run = try #require(try await place.runs().first)
    #expect(run.state == .done && run.filed)
    #expect(place.text("var/done/\(run.id)/a.csv") == "x\n1\n")
    #expect(place.names("inbox").isEmpty && place.names("var/work").isEmpty)
    let seen = try JSON(parsing: place.bytes("var/runs/\(run.id)/second/seen.json"))
    #expect(seen["inputs"]?.array?.first?["path"]?.string == place.path("var/runs/\(run.id)/first/envelope.json"))
  }

  @Test func `(b) a bad file fails with its reason and lies in failed byte for byte`() async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(stages: [
      ("check", "cat >/dev/null; echo 'row 3 has 2 fields, expected 5' >&2; exit 2"),
      ("train", "touch \"$PENSTOCK_HOME/trained\""),
    ])
    let bytes = Data([0x61, 0x2C, 0x00, 0xFF, 0x0A])
    try place.write("inbox/bad.csv", bytes)
    let up = try await place.penstock("up", "--once")
    #expect(up.code == 1)
    let run = try #require(try await place.runs().first)
    #expect(run.state == .failed && run.failedStage == "check")
    #expect(run.reason == "stage `check` failed: row 3 has 2 fields, expected 5")
    #expect(place.bytes("var/failed/\(run.id)/bad.csv") == bytes)
    #expect(!place.exists("trained"))
    #expect(try await place.attempts(run).map(\.state) == [.failed])
  }

  @Test func `(e) a broken pipeline file leaves the last good version in force, also after a restart`() async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(stages: [("only", "exit 0")])
    let agent = try await place.up()
    try place.drop("1.csv")
    try await place.ended(1)
    try place.write("pipelines/p.yaml", "pipeline: { name: p }\nstages: [ { name: only, nonsense: 1 } ]\n")
    try await place.waitForLog("pipeline file is invalid; the last good version stays in force")
    try place.drop("2.csv")
    try await place.ended(2)
    #expect(try await place.stop(agent).code == 0)
    try place.drop("3.csv")
    // as `status` has it: what is worked is not what the file says
    #expect(try await place.penstock("up", "--once").code == 4)
    let runs = try await place.runs()
    #expect(runs.map(\.state) == [.done, .done, .done])
    #expect(Set(runs.map(\.version)).count == 1)
  }

  @Test func `(f) after kill -9 in a stage its tree is gone within a second, and one run ends once`() async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(stages: [
      (
        "slow",
        """
        [ -e "$PENSTOCK_HOME/again" ] && exit 0
        touch "$PENSTOCK_HOME/again"
        setsid sleep 300 & sleep 300 & echo $! $$ > "$PENSTOCK_HOME/.pids"; mv "$PENSTOCK_HOME/.pids" "$PENSTOCK_HOME/pids"; wait
        """
      )
    ])
    try place.drop("a.csv")
    let agent = try await place.up()
    try await until("the stage to be at work; \(place.tail)") { place.exists("pids") }
    let mark = "PENSTOCK_HOME=\(place.home)"
    #expect(ScenarioProcesses.marked(mark).count >= 3)
    agent.signal(SIGKILL)
    try await until(within: .seconds(1), "the tree to be gone, left: \(ScenarioProcesses.marked(mark))") {
      ScenarioProcesses.marked(mark).isEmpty
    }
    #expect(try await agent.end().code == 137)
    #expect(try await place.penstock("up", "--once").code == 0)
    let runs = try await place.runs()
    #expect(runs.map(\.state) == [.done])
    #expect(try await place.attempts(runs[0]).map(\.state) == [.interrupted, .ok])
    #expect(place.filed("done") == [runs[0].id.text: ["a.csv"]])
  }

  @Test func `(g) of 500 files at once each runs once, and all lie in done`() async throws {
    try await burst(500)
  }

  @Test(
    .enabled(if: ProcessInfo.processInfo.environment["PENSTOCK_SLOW_TESTS"] != nil, "PENSTOCK_SLOW_TESTS is not set"))
  func `(g) of 5,000 files at once each runs once, and all lie in done`() async throws {
    try await burst(5000)
  }

  private func burst(_ count: Int) async throws {
    let place = try ScenarioWorkspace(settings: "concurrency: 4\n")
    try place.write(
      "pipelines/p.yaml",
      "pipeline: { name: p }\ntrigger: { inbox: \"*.csv\" }\nstages: [ { name: only, run: [\"true\"] } ]\n")
    let agent = try await place.up()
    for n in 0..<count { try place.drop("\(n).csv", "\(n)\n") }
    let runs = try await place.ended(count, within: .seconds(55 * max(1, count / 500)))
    #expect(runs.count == count)
    #expect(runs.allSatisfy { $0.state == .done })
    let names = runs.compactMap { $0.drop?.name.text }
    #expect(Set(names) == Set((0..<count).map { "\($0).csv" }))
    for run in runs {
      #expect(
        place.text("var/done/\(run.id)/\(run.drop?.name.text ?? "")") + ".csv"
          == (run.drop?.name.text ?? "").replacing(".csv", with: "\n.csv"))
    }
    #expect(place.names("inbox").isEmpty && place.names("var/work").isEmpty)
    #expect(try await place.stop(agent).code == 0)
  }
}
