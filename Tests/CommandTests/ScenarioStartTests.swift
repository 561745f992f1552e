import Core
import Foundation
import Store
import Testing

/// Runs that no drop began, and runs that a person stops.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ScenarioStartTests {
  private let keep =
    "cat > \"$PENSTOCK_HOME/e-$PENSTOCK_RUN.json\"; cat \"$(ls \"$PENSTOCK_HOME\"/var/work/$PENSTOCK_RUN/* 2>/dev/null || echo /dev/null)\" > \"$PENSTOCK_HOME/bytes\""

  private func place(more: String = "", inbox: String = "*.csv") throws -> ScenarioWorkspace {
    let place = try ScenarioWorkspace()
    try place.pipeline(
      inbox: inbox, stages: [("only", keep)],
      more: "    params: { h: \"${vars.h}\" }\n    fine: { params: { trees: 1 } }\nvars: { h: 1 }\n" + more)
    return place
  }

  private func envelope(_ place: ScenarioWorkspace, _ run: Run) throws -> JSON {
    try JSON(parsing: place.bytes("e-\(run.id).json"))
  }

  @Test(arguments: [false, true])
  func `a run by hand copies its input and obeys --set and --granularity`(withAgent: Bool) async throws {
    let place = try place()
    try place.write("data/in.csv", "hand")
    let agent = withAgent ? try await place.up() : nil
    if withAgent { try await place.waitForLog("pipeline loaded") }
    let ended = try await place.penstock(
      "run", "p", "--input", place.path("data/in.csv"), "--set", "h=7", "--granularity", "only=fine", "--wait", "--json"
    )
    #expect(ended.code == 0, "\(ended.complaints)")
    let runs = try await place.ended(1)
    let run = try #require(runs.first)
    #expect(run.state == .done && run.trigger == .manual)
    #expect(place.text("data/in.csv") == "hand" && place.text("bytes") == "hand")
    #expect(place.text("var/done/\(run.id)/in.csv") == "hand")
    let stage = try envelope(place, run)["stage"]
    #expect(stage?["params"] == ["h": 7, "trees": 1] && stage?["granularity"] == "fine")
    #expect(try await place.attempts(run).first?.granularity.authority == .override)
    if let agent { #expect(try await place.stop(agent).code == 0) }
  }

  @Test(arguments: [
    (["run", "q"], "no pipeline `q`"), (["run", "p", "--set", "x=1", "--input", "/etc/passwd"], "`x`"),
    (["run", "p", "--granularity", "nope=fine", "--input", "/etc/passwd"], "no stage `nope`"),
    (["run", "p", "--input", "/nowhere/at/all"], "/nowhere/at/all"),
    (["run", "p", "--input", "/tmp"], "no regular file"),
    (["run", "p"], "nothing to run on"),
  ])
  func `what cannot be started by hand is refused in words and leaves nothing`(arguments: [String], words: String)
    async throws
  {
    let place = try place()
    for withAgent in [false, true] {
      let agent = withAgent ? try await place.up() : nil
      let ended = try await place.start(arguments).end()
      #expect(ended.code == 2, "\(ended.output)\(ended.complaints)")
      #expect(ended.complaints.contains(words), "\(ended.complaints)")
      if let agent { #expect(try await place.stop(agent).code == 0) }
    }
    #expect(try await place.runs().isEmpty)
    #expect(place.names("var/work").isEmpty)
  }

  @Test func `a run without a drop reads its data sources`() async throws {
    let place = try place(
      more: "data: { sources: [ { type: csv, path: data/base.csv }, { type: csv, path: data/more.csv } ] }\n")
    try place.write("data/base.csv", "base")
    try place.write("data/more.csv", "more")
    #expect(try await place.penstock("run", "p").code == 0)
    let run = try #require(try await place.runs().first)
    let inputs = try envelope(place, run)["inputs"]?.array
    #expect(inputs?.map { $0["name"] } == ["input", "input-2"])
    #expect(inputs?.first?["path"] == .string(place.path("data/base.csv")) && inputs?.first?["bytes"] == 4)
  }

  @Test func `without sources it reads the latest done drop of each kind`() async throws {
    let place = try place(inbox: "fx-{pair}.csv")
    for name in ["fx-eur.csv", "fx-usd.csv"] { try place.drop(name, name) }
    #expect(try await place.penstock("up", "--once").code == 0)
    try place.drop("fx-eur.csv", "newer")
    #expect(try await place.penstock("up", "--once").code == 0)
    #expect(try await place.penstock("run", "p").code == 0)
    let runs = try await place.runs().suffix(2)
    let paths = try runs.compactMap { try envelope(place, $0)["inputs"]?.array?.first?["path"]?.string }
    #expect(Set(paths.map { place.text(String($0.dropFirst(place.home.count + 1))) }) == ["newer", "fx-usd.csv"])
  }

  @Test func `new content of a file with on_config starts a run once per content`() async throws {
    let place = try ScenarioWorkspace()
    try place.write("data/base.csv", "base")
    func text(_ label: String) -> String {
      "pipeline: { name: p, version: \(label) }\ntrigger: { on_config: true }\ndata: { sources: [ { type: csv, path: data/base.csv } ] }\nstages: [ { name: only, run: [\"true\"] } ]\n"
    }
    try place.write("pipelines/p.yaml", text("A"))
    let agent = try await place.up()
    try await place.ended(1)
    for (label, count) in [("B", 2), ("A", 2), ("C", 3)] {
      try place.write("pipelines/p.yaml", text(label))
      try await until("version \(label) to be in force; \(place.tail)") {
        let wanted = try await place.reader { try await $0.configs() }.first?.activeDigest
        let digests = try await place.runs().compactMap(\.version)
        return label == "A" ? wanted == digests.first : wanted == digests.last && digests.count == count
      }
      try await place.ended(count)
    }
    #expect(try await place.stop(agent).code == 0)
    #expect(try await place.penstock("up", "--once").code == 0)
    let runs = try await place.runs()
    #expect(runs.count == 3 && runs.allSatisfy { $0.state == .done && $0.trigger == .config })
    for run in runs { #expect(try await place.attempts(run).map(\.state) == [.ok]) }
  }

  @Test func `a run that is asked for while the agent starts is worked once`() async throws {
    let place = try place()
    try place.write("data/in.csv", "hand")
    let agent = try place.start("up")
    try await until("the socket") { place.exists("var/penstock.sock") }
    let asked = try await place.penstock("run", "p", "--input", place.path("data/in.csv"), "--wait")
    #expect(asked.code == 0, "\(asked.complaints)")
    let run = try #require(try await place.ended().first)
    #expect(try await place.attempts(run).map(\.state) == [.ok])
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `a queued run is cancelled without ever beginning`() async throws {
    let place = try ScenarioWorkspace(settings: "concurrency: 1\n")
    try place.pipeline(stages: [
      (
        "slow",
        "touch \"$PENSTOCK_HOME/began-$PENSTOCK_RUN\"; while [ ! -e \"$PENSTOCK_HOME/go\" ]; do sleep 0.05; done"
      )
    ])
    let agent = try await place.up()
    try place.drop("1.csv")
    try await until("the first run") { !place.names(".").filter { $0.hasPrefix("began") }.isEmpty }
    try place.drop("2.csv")
    try await until("the second run") { try await place.runs().count == 2 }
    #expect(try await place.penstock("cancel", "2").code == 0)
    try place.write("go", "")
    let runs = try await place.ended(2)
    #expect(runs.map(\.state) == [.done, .cancelled])
    #expect(try await place.attempts(runs[1]).isEmpty)
    #expect(place.filed("failed") == [runs[1].id.text: ["2.csv"]])
    #expect(try await place.penstock("cancel", "2").code == 2)
    #expect(try await place.stop(agent).code == 0)
  }

  @Test(arguments: [true, false])
  func `a run that waits for another try is cancelled, and its after-hooks run`(withAgent: Bool) async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(stages: [("flaky", "exit 1")], more: "    retry: { attempts: 3, backoff: 10m }\n")
    try place.script("hooks/after-run.d/10", "cat > \"$PENSTOCK_HOME/told.json\"")
    var agent = try await place.up()
    try place.drop("a.csv")
    try await until("the run to wait; \(place.tail)") { try await place.runs().first?.state == .waiting }
    if !withAgent {
      _ = try await place.stop(agent)
      #expect(try await place.penstock("cancel", "last").code == 0)
      agent = try await place.up()
    } else {
      #expect(try await place.penstock("cancel", "last").code == 0)
      let told = try JSON(parsing: place.bytes("told.json"))
      #expect(told["outcome"]?["state"] == "cancelled")
    }
    let run = try #require(try await place.ended().first)
    #expect(run.state == .cancelled && run.resumes == nil)
    #expect(place.filed("failed") == [run.id.text: ["a.csv"]])
    #expect(try await place.stop(agent).code == 0)
  }
}
