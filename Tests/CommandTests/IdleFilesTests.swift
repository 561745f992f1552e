import Core
import Foundation
import Glibc
import TestSupport
import Testing

/// Pipelines and hooks that are not in force are told where they matter.
@Suite(.timeLimit(.minutes(2))) struct IdleFilesTests {
  private static let bad =
    "pipeline: { name: p }\ntriger: { inbox: \"*.csv\" }\nstages: [{ name: s, run: [\"true\"] }]\n"

  @Test func `up --once ends with 4 where a pipeline is invalid, once what could be worked is done`() async throws {
    let place = try ScenarioWorkspace.taking()
    try place.drop("a.csv")
    try place.write("pipelines/bad.yaml", Self.bad.replacing("name: p ", with: "name: bad "))
    let once = try await place.penstock("up", "--once")
    #expect(once.code == 4, "\(once.output)")
    #expect(
      once.complaints == "penstock: `pipelines/bad.yaml` is invalid and not in force; `penstock check` tells all\n")
    #expect(try await place.runs().map(\.state) == [.done])
    #expect(try await place.penstock("status").code == 4)
    unlink(place.path("pipelines/bad.yaml"))
    #expect(try await place.penstock("up", "--once").code == 0)
  }

  @Test func `a drop that nobody takes names the pipeline that is invalid, with and without an agent`() async throws {
    let scene = try Scene(["pipelines/p.yaml": Self.bad, "inbox/a.csv": "1"])
    let words = "`pipelines/p.yaml` is invalid and not in force: `penstock check`"
    func look() async throws {
      let why = try await scene.ask("why", "a.csv")
      #expect(why.output.contains("  but      \(words)\n"), "\(why.output)")
      #expect(why.output.contains("next     runs as soon as the `trigger` of a pipeline"), "\(why.output)")
      #expect(!why.output.contains("penstock up"))
      #expect(try await scene.ask("inbox").output.hasSuffix("\n\n\(words)\n"))
      #expect(try await scene.ask("inbox", "--json").json["invalid_pipelines"] as? [String] == ["pipelines/p.yaml"])
    }
    try await look()
    let agent = try scene.start(["up"])
    try await until("the agent answers: \(agent.text)") { try await scene.ask("inbox", "--json").code == 0 }
    try await until("the agent has seen the drop: \(agent.text)") { agent.text.contains("a.csv stays in the inbox") }
    try await look()
    agent.signal(SIGTERM)
    #expect(try await agent.end().code == 0)
  }

  @Test func `settings that are invalid are told by status, which no agent has to say`() async throws {
    let scene = try Scene()
    try scene.file("etc/penstock.yaml", "settle: soon\n")
    let status = try await scene.ask("status")
    #expect(status.code == 4)
    #expect(
      status.output.contains("invalid settings\n  etc/penstock.yaml: invalid, 1 error: line 1: `settle`: "),
      "\(status.output)")
    #expect(status.output.contains("; no agent starts; `penstock check` tells all\n"))
    let json = try await scene.ask("status", "--json").json["settings"] as? [String: Any]
    #expect(json?["state"] as? String == "invalid" && (json?["diagnostics"] as? [Any])?.count == 1)
  }

  @Test func `a hook directory without its ending is warned of`() async throws {
    let scene = try Scene([
      "hooks/before-run/10-x": "#!/bin/sh\n", "hooks/examples/x": "#!/bin/sh\n", "hooks/beforerun.d/10": "#!/bin/sh\n",
    ])
    for command in ["check", "hooks"] {
      let told = try await scene.ask(command)
      #expect(told.code == 0 && told.output.contains("hooks/before-run"), "\(told.output)")
      #expect(told.output.contains("hooks lie in directories `EVENT.d`"), "\(told.output)")
      #expect(told.output.contains("did you mean `hooks/before-run.d`?"), "\(told.output)")
      #expect(!told.output.contains("examples"), "\(told.output)")
    }
    #expect(try await scene.ask("hooks").output.contains("  warn      nothing calls it\n"))
  }
}
