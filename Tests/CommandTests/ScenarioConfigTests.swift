import Core
import Foundation
import Store
import Testing

/// Pipeline files that change, break and go while the agent works.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ScenarioConfigTests {
  /// A pipeline whose first stage waits for `go`.
  private func text(second: String) -> String {
    """
    pipeline: { name: p }
    trigger: { inbox: "*.csv" }
    stages:
      - { name: first, run: [/bin/sh, -c, 'touch "$PENSTOCK_HOME/began"; while [ ! -e "$PENSTOCK_HOME/go" ]; do sleep 0.05; done'] }
      - { name: \(second), run: [/bin/sh, -c, 'echo \(second) >> "$PENSTOCK_HOME/ran"'] }

    """
  }

  private func config(_ place: ScenarioWorkspace) async throws -> ConfigStatus? {
    guard place.exists("var/state.db") else { return nil }
    return try await place.reader { try await $0.configs() }.first
  }

  @Test func `C01 a half-saved file leaves the last good version in force, and status says since when`() async throws {
    let place = try ScenarioWorkspace()
    try place.write("go", "")
    try place.write("pipelines/p.yaml", text(second: "old"))
    let agent = try await place.up()
    try await until("the version") { try await config(place)?.activeDigest != nil }
    let whole = text(second: "new")
    try place.write("pipelines/p.yaml", String(whole.prefix(whole.utf8.count - 60)))
    try await until("the broken file; \(place.tail)") { try await config(place)?.state == .invalid }
    try place.drop("a.csv")
    try await place.ended(1)
    #expect(place.text("ran") == "old\n")
    let status = try await place.penstock("status", "--json")
    let said = try #require(try JSON(parsing: status.output.utf8)["configs"]?.array?.first)
    #expect(said["state"] == "invalid" && said["since"] != .null && said["in_force_since"] != .null)
    #expect(said["first"]?.string?.contains("line ") == true, "\(said)")
    try place.write("pipelines/p.yaml", whole)
    try await until("the new version") { try await config(place)?.state == .valid }
    try place.drop("b.csv")
    try await place.ended(2)
    #expect(place.text("ran") == "old\nnew\n")
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `a stage whose program is not there is warned of when its file is put in force`() async throws {
    let place = try ScenarioWorkspace()
    try place.write(
      "pipelines/p.yaml",
      "pipeline: { name: p }\ntrigger: { inbox: \"*.csv\" }\nstages: [ { name: a, run: [./stages/a.sh] } ]\n")
    let agent = try await place.up()
    try await place.waitForLog("a stage cannot run as things are") {
      $0["of"]?.string == "a" && $0["reason"]?.string == "`stages/a.sh`: no such file"
    }
    try place.script("stages/a.sh", "true")
    try place.drop("a.csv")
    #expect(try await place.ended().map(\.state) == [.done])
    let output = try await place.stop(agent).output
    #expect(output.contains("pipelines/p.yaml: stage `a` cannot run: `stages/a.sh`: no such file"), "\(output)")
    #expect(place.logged("a stage cannot run as things are").count == 1)
  }

  @Test(arguments: [false, true])
  func `C05 a file that changes while a run is at work changes nothing for it, even over a crash`(crash: Bool)
    async throws
  {
    let place = try ScenarioWorkspace()
    try place.write("pipelines/p.yaml", text(second: "old"))
    var agent = try await place.up()
    try place.drop("a.csv")
    try await until("the first stage") { place.exists("began") }
    let before = try await config(place)?.activeDigest
    try place.write("pipelines/p.yaml", text(second: "new"))
    try await until("the new version; \(place.tail)") { try await config(place)?.activeDigest != before }
    if crash {
      agent.signal(SIGKILL)
      _ = try await agent.end()
      agent = try await place.up()
    }
    try place.write("go", "")
    let first = try #require(try await place.ended(1).first)
    #expect(first.state == .done && first.version == before)
    #expect(place.text("ran") == "old\n")
    let source = try await place.reader { try await $0.version(digest: first.version ?? "") }?.source
    #expect(source == text(second: "old"))
    try place.drop("b.csv")
    try await place.ended(2)
    #expect(place.text("ran") == "old\nnew\n")
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `C06 the runs of a pipeline whose file is removed end on its version, and none begins`() async throws {
    let place = try ScenarioWorkspace(settings: "concurrency: 1\n")
    try place.write("pipelines/p.yaml", text(second: "old"))
    let agent = try await place.up()
    try place.drop("a.csv")
    try await until("the first stage") { place.exists("began") }
    try place.drop("b.csv")
    try await until("the queued run") { try await place.runs().count == 2 }
    #expect(unlink(place.path("pipelines/p.yaml")) == 0)
    try await place.waitForLog("pipeline file is gone; its runs end on the version they began with")
    let status = try JSON(parsing: try await place.penstock("status", "--json").output.utf8)
    #expect(status["orphaned"] == [["pipeline": "p", "runs": 2]], "\(status)")
    #expect(try await place.penstock("status").output.contains("p: its file is gone; 2 runs to end"))
    try place.drop("late.csv")
    try await place.waitForLog("no pipeline takes this drop; it stays in the inbox")
    try place.write("go", "")
    let runs = try await place.ended(2)
    #expect(runs.map(\.state) == [.done, .done])
    #expect(place.text("ran") == "old\nold\n")
    #expect(place.exists("inbox/late.csv"))
    let after = try JSON(parsing: try await place.penstock("status", "--json").output.utf8)
    #expect(after["orphaned"] == [])
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `C07 a drop that two pipelines take is run once, by the one with the higher priority`() async throws {
    let place = try ScenarioWorkspace()
    for (name, priority) in [("low", 1), ("high", 2)] {
      try place.write(
        "pipelines/\(name).yaml",
        "pipeline: { name: \(name) }\ntrigger: { inbox: \"*.csv\", priority: \(priority) }\nstages: [ { name: a, run: [\"true\"] } ]\n"
      )
    }
    try place.drop("a.csv")
    #expect(try await place.penstock("up", "--once").code == 0)
    #expect(try await place.runs().map(\.pipeline) == ["high"])
  }

  @Test func `C08 a file that everyone may write is not obeyed, and the last good version stays`() async throws {
    let place = try ScenarioWorkspace()
    try place.write("go", "")
    try place.write("pipelines/p.yaml", text(second: "old"))
    let agent = try await place.up()
    try await until("the version") { try await config(place)?.activeDigest != nil }
    try place.write("pipelines/p.yaml", text(second: "evil"), mode: 0o666)
    try await until("the refusal; \(place.tail)") { try await config(place)?.state == .invalid }
    try place.drop("a.csv")
    try await place.ended(1)
    #expect(place.text("ran") == "old\n")
    #expect(try await place.stop(agent).code == 0)
  }
}

/// Runs that new content of a file begins.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ScenarioOnConfigTests {
  private func place() throws -> ScenarioWorkspace {
    let place = try ScenarioWorkspace()
    try place.write("data/base.csv", "base")
    for (name, onConfig) in [("watched", true), ("other", false)] {
      try place.write(
        "pipelines/\(name).yaml",
        "pipeline: { name: \(name) }\ntrigger: { on_config: \(onConfig) }\n"
          + "data: { sources: [ { type: csv, path: data/base.csv } ] }\nstages: [ { name: a, run: [\"true\"] } ]\n")
    }
    return place
  }

  @Test func `a run of one pipeline by hand begins none that new content of another asks for`() async throws {
    let place = try place()
    #expect(try await place.penstock("run", "other").code == 0)
    #expect(try await place.runs().map(\.pipeline) == ["other"])
    // and the agent still finds that it is new
    #expect(try await place.penstock("up", "--once").code == 0)
    #expect(try await place.runs().map(\.pipeline) == ["other", "watched"])
    #expect(try await place.penstock("up", "--once").code == 0)
    #expect(try await place.runs().count == 2)
  }
}
