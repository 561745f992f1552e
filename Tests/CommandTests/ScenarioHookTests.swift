import Core
import Foundation
import Testing

/// Hooks of the real program around real stages: acceptance (d), and what the contract says of every ending.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ScenarioHookTests {
  /// One stage `train` that keeps its envelope as its output, and says that it was there.
  private func place(_ settings: String = "", more: String = "") throws -> ScenarioWorkspace {
    let place = try ScenarioWorkspace(settings: settings)
    try place.pipeline(
      stages: [
        (
          "train",
          "touch \"$PENSTOCK_HOME/trained\"; cat >e.json; echo '{\"outputs\":[{\"name\":\"e\",\"path\":\"e.json\"}]}'"
        )
      ], more: more)
    try place.drop("a.csv")
    return place
  }

  private func envelope(_ place: ScenarioWorkspace, _ run: Run) throws -> JSON {
    try JSON(parsing: place.bytes("var/runs/\(run.id)/train/e.json"))
  }

  @Test func `(d) a before-hook that denies fails the run with its reason, and the stage never runs`() async throws {
    let place = try place()
    try place.script("hooks/before-train.d/10-gate", "echo '{\"decision\":\"deny\",\"reason\":\"market is closed\"}'")
    #expect(try await place.penstock("up", "--once").code == 1)
    let run = try #require(try await place.runs().first)
    #expect(run.state == .failed && run.failedStage == "train")
    #expect(run.reason?.contains("market is closed") == true)
    #expect(!place.exists("trained"))
    #expect(try await place.attempts(run).map(\.state) == [.denied])
    let calls = try await place.hookCalls(run)
    #expect(calls.map(\.decision) == [.deny])
    #expect(calls[0].event == "before-train" && calls[0].program == "hooks/before-train.d/10-gate")
    #expect(calls[0].reason == "market is closed" && calls[0].sha256?.count == 64)
    #expect(place.filed("failed") == [run.id.text: ["a.csv"]])
  }

  @Test func `(d) patches are chained: directories in C order, wide before narrow, then the YAML`() async throws {
    let place = try place(
      more:
        "    params: { n: 1, gone: true, deep: { a: 1, b: 2 } }\nhooks: { before-train: [ { run: [\"./last.sh\"] } ] }\n"
    )
    let note = "cat >> \"$PENSTOCK_HOME/seen\"; echo >> \"$PENSTOCK_HOME/seen\"; "
    try place.script(
      "hooks/before-train.d/B-2", note + "echo '{\"patch\":{\"params\":{\"n\":3},\"context\":{\"by\":\"B\"}}}'")
    try place.script("hooks/before-train.d/a-1", note + "echo '{\"patch\":{\"params\":{\"n\":4,\"gone\":null}}}'")
    try place.script(
      "hooks/before-stage.d/99", note + "echo '{\"patch\":{\"params\":{\"n\":2,\"deep\":{\"b\":null}}}}'")
    try place.script("last.sh", note + "echo '{\"patch\":{\"context\":{\"last\":true}}}'")
    let up = try await place.penstock("up", "--once")
    #expect(up.code == 0, "\(up.output)")
    let run = try #require(try await place.runs().first)
    let seen = place.text("seen").split(separator: "\n").compactMap { try? JSON(parsing: Data($0.utf8)) }
    #expect(seen.map { $0["stage"]?["params"]?["n"] } == [1, 2, 3, 4])
    #expect(seen.map { $0["event"] } == ["before-stage", "before-train", "before-train", "before-train"])
    #expect(seen.last?["context"] == ["by": "B"])
    let stage = try envelope(place, run)
    #expect(stage["stage"]?["params"] == ["n": 4, "deep": ["a": 1]])
    #expect(stage["context"] == ["by": "B", "last": true])
  }

  @Test func `(d) the level a hook sets wins over the YAML, sample and parameters of that level with it`() async throws
  {
    let place = try place(
      more: "    granularity: coarse\n    params: { trees: 500 }\n    medium: { sample: 10%, params: { trees: 50 } }\n")
    try place.script("hooks/before-train.d/10", "echo '{\"granularity\":\"medium\",\"reason\":\"busy hour\"}'")
    #expect(try await place.penstock("up", "--once").code == 0)
    let run = try #require(try await place.runs().first)
    let attempt = try #require(try await place.attempts(run).first)
    #expect(attempt.granularity.level == .medium && attempt.granularity.authority == .hook)
    #expect(attempt.granularity.reason.contains("busy hour"))
    #expect(attempt.sample == 0.1)
    let stage = try envelope(place, run)["stage"]
    #expect(stage?["sample"] == .number(0.1) && stage?["seed"] == 42 && stage?["params"] == ["trees": 50])
  }

  @Test func `a level that the stage does not have is refused in words, although a hook asks for it`() async throws {
    let place = try place()
    try place.write(
      "stages/nix/train.yaml",
      """
      stage: nix/train
      version: 1.0.0
      summary: "says which level it ran at"
      run: ["/bin/true"]
      granularity: { medium: "on a sample" }
      """)
    try place.write(
      "pipelines/p.yaml",
      "pipeline: { name: p }\ntrigger: { inbox: \"*.csv\" }\nstages: [ { name: train, uses: nix/train } ]\n")
    try place.script("hooks/before-train.d/10", "echo '{\"granularity\":\"fine\"}'")
    #expect(try await place.penstock("up", "--once").code == 1)
    let run = try #require(try await place.runs().first)
    #expect(
      run.reason?.contains("`nix/train` does not support `fine`") == true
        && run.reason?.contains("it supports `coarse`, `medium`") == true, "\(run.reason ?? "")")
  }

  @Test func `(d) a hook that sleeps for ever is killed at its timeout with all it started`() async throws {
    let place = try place("hook_timeout: 300ms\n")
    try place.script(
      "hooks/before-train.d/10",
      "trap '' TERM; setsid sleep 300 & (setsid sleep 300 &) ; echo asleep >&2; while :; do sleep 300; done")
    #expect(try await place.penstock("up", "--once").code == 1)
    #expect(ScenarioProcesses.marked("PENSTOCK_HOME=\(place.home)").isEmpty)
    let run = try #require(try await place.runs().first)
    #expect(run.reason?.contains("took longer than its timeout of 300ms") == true)
    let call = try #require(try await place.hookCalls(run).first)
    #expect(call.timedOut && call.decision == .error && call.stderrTail == "asleep\n")
    #expect(call.usage.wall < 5)
    #expect(!place.exists("trained"))
  }

  @Test func `after-hooks see a failure, its outcome and its reason`() async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(stages: [("train", "echo boom >&2; exit 3")])
    for event in ["after-train", "after-stage", "after-run"] {
      try place.script("hooks/\(event).d/10", "cat > \"$PENSTOCK_HOME/$PENSTOCK_EVENT.json\"")
    }
    try place.drop("a.csv")
    #expect(try await place.penstock("up", "--once").code == 1)
    for event in ["after-train", "after-stage"] {
      let seen = try JSON(parsing: place.bytes("\(event).json"))
      #expect(seen["outcome"]?["state"] == "failed" && seen["outcome"]?["exit"] == 3)
      #expect(seen["outcome"]?["reason"] == "exit 3: boom")
    }
    let end = try JSON(parsing: place.bytes("after-run.json"))
    #expect(end["outcome"]?["state"] == "failed")
    let run = try #require(try await place.runs().first)
    #expect(try await place.hookCalls(run).map(\.event) == ["after-train", "after-stage", "after-run"])
  }

  @Test func `after-hooks run when a person cancels, and the run ends cancelled`() async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(stages: [("train", "touch \"$PENSTOCK_HOME/began\"; sleep 300")])
    for event in ["after-train", "after-run"] {
      try place.script("hooks/\(event).d/10", "cat > \"$PENSTOCK_HOME/$PENSTOCK_EVENT.json\"")
    }
    let agent = try await place.up()
    try place.drop("a.csv")
    try await until("the stage to begin; \(place.tail)") { place.exists("began") }
    #expect(try await place.penstock("cancel", "last").code == 0)
    let run = try #require(try await place.ended().first)
    #expect(run.state == .cancelled && run.reason == "cancelled")
    #expect(try await place.attempts(run).map(\.state) == [.cancelled])
    #expect(try JSON(parsing: place.bytes("after-train.json"))["outcome"]?["state"] == "cancelled")
    #expect(try JSON(parsing: place.bytes("after-run.json"))["outcome"]?["state"] == "cancelled")
    #expect(place.filed("failed") == [run.id.text: ["a.csv"]])
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `skip hands the inputs on as off does, and the run is done`() async throws {
    let place = try place()
    try place.script("hooks/before-train.d/10", "echo '{\"decision\":\"skip\",\"reason\":\"holiday\"}'")
    #expect(try await place.penstock("up", "--once").code == 0)
    let run = try #require(try await place.runs().first)
    #expect(run.state == .done && !place.exists("trained"))
    let attempt = try #require(try await place.attempts(run).first)
    #expect(attempt.state == .skipped && attempt.reason?.contains("holiday") == true)
  }

  @Test(arguments: [
    ("before-train", "echo '{\"decision\":\"defer\",\"retry_after\":\"50ms\"}'"),
    ("before-run", "echo '{\"decision\":\"defer\",\"retry_after\":\"50ms\"}'"),
  ])
  func `a deferred run waits and then asks again`(event: String, defer: String) async throws {
    let place = try place()
    try place.script(
      "hooks/\(event).d/10", "[ -e \"$PENSTOCK_HOME/asked\" ] && exit 0; touch \"$PENSTOCK_HOME/asked\"; \(`defer`)")
    let agent = try await place.up()
    let run = try #require(try await place.ended().first)
    #expect(run.state == .done && run.resumes == nil)
    #expect(try await place.hookCalls(run).map(\.decision) == [.defer, .allow])
    #expect(!place.logged("run is waiting").isEmpty)
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `up --once does not wait for a run that a hook defers`() async throws {
    let place = try place()
    try place.script("hooks/before-train.d/10", "echo later >&2; exit 75")
    #expect(try await place.penstock("up", "--once").code == 0)
    let run = try #require(try await place.runs().first)
    #expect(run.state == .waiting && run.reason?.contains("later") == true)
    #expect(try await place.hookCalls(run).map(\.decision) == [.defer])
  }

  @Test func `exit 2 denies with the last line of stderr`() async throws {
    let place = try place()
    try place.script("hooks/before-run.d/10", "echo not today >&2; exit 2")
    #expect(try await place.penstock("up", "--once").code == 1)
    let run = try #require(try await place.runs().first)
    #expect(run.state == .failed && run.reason == "denied: hook `hooks/before-run.d/10`: not today")
    #expect(try await place.attempts(run).isEmpty && !place.exists("trained"))
  }

  @Test(arguments: [
    ("exit 7", "exit 7"), ("kill -9 $$", "ended by signal 9"), ("echo '{nonsense'", "bad reply"),
    ("echo '{\"decision\":\"perhaps\"}'", "bad reply"), ("printf '\\377'", "bad reply"), ("echo '[]'", "bad reply"),
    ("echo '{\"patch\":{\"drop\":{}}}'", "bad reply"), ("head -c 2000000 /dev/zero | tr '\\0' ' '", "bad reply"),
  ])
  func `a hook that breaks stops a stage before it and only warns after it`(program: String, words: String) async throws
  {
    let place = try place()
    try place.script("hooks/after-train.d/10", program)
    #expect(try await place.penstock("up", "--once").code == 0)
    try place.script("hooks/before-train.d/10", program)
    try place.drop("b.csv")
    #expect(try await place.penstock("up", "--once").code == 1)
    let runs = try await place.runs()
    try #require(runs.map(\.state) == [.done, .failed])
    #expect(runs[1].reason?.contains(words) == true, "\(runs[1].reason ?? "")")
    for run in runs { #expect(try await place.hookCalls(run).allSatisfy { $0.decision == .error }) }
  }

  @Test(arguments: [
    ("before-train", "warn", RunState.done), ("before-train", "ignore", .done), ("before-train", "fail", .failed),
    ("after-train", "fail", .failed), ("after-train", "warn", .done),
  ])
  func `on_error says what a broken hook means`(event: String, onError: String, state: RunState) async throws {
    let place = try place(more: "hooks: { \(event): [ { run: [\"./broken.sh\"], on_error: \(onError) } ] }\n")
    try place.script("broken.sh", "exit 9")
    let up = try await place.penstock("up", "--once")
    let run = try #require(try await place.runs().first)
    #expect(run.state == state, "\(up.output)")
    #expect(place.exists("trained") == (event == "after-train" || onError != "fail"))
    #expect(try await place.hookCalls(run).map(\.decision) == [.error])
  }

  @Test func `on-arrival that denies sends the drop to quarantine with the reason beside it`() async throws {
    let place = try place()
    try place.script("hooks/on-arrival.d/10-virus", "echo '{\"decision\":\"deny\",\"reason\":\"looks infected\"}'")
    #expect(try await place.penstock("up", "--once").code == 1)
    let run = try #require(try await place.runs().first)
    #expect(run.state == .quarantined && !place.exists("trained"))
    #expect(place.filed("quarantine") == [run.id.text: ["a.csv", "reason.json"]])
    let note = try JSON(parsing: place.bytes("var/quarantine/\(run.id)/reason.json"))
    #expect(note["name"] == "a.csv" && note["reason"]?.string?.contains("looks infected") == true)
  }

  @Test func `what will not run is warned about and passed over`() async throws {
    let place = try place()
    try place.write("hooks/before-train.d/10-plain", "#!/bin/sh\nexit 2\n", mode: 0o644)
    try place.write("hooks/before-train.d/20-open", "#!/bin/sh\nexit 2\n", mode: 0o757)
    try place.script("hooks/before-train.d/30-old~", "exit 2")
    try place.write("hooks/before-train.d/40-group", "#!/bin/sh\nexit 0\n", mode: 0o775)
    let once = try await place.penstock("up", "--once")
    #expect(once.code == 4 && once.complaints.contains("20-open") && !once.complaints.contains("30-old~"))
    #expect(try await place.runs().map(\.state) == [.done])
    let refused = place.logged("hook does not run").compactMap { $0["hook"]?.string }
    #expect(
      Set(refused) == ["hooks/before-train.d/10-plain", "hooks/before-train.d/20-open", "hooks/before-train.d/30-old~"])
    #expect(!place.logged("hook warns") { $0["hook"] == "hooks/before-train.d/40-group" }.isEmpty)
  }

  @Test func `a hook that the YAML names and that cannot run is a failure`() async throws {
    let place = try place(more: "hooks: { before-train: [ { run: [\"./missing.sh\"] } ] }\n")
    #expect(try await place.penstock("up", "--once").code == 1)
    let run = try #require(try await place.runs().first)
    #expect(run.reason?.contains("`missing.sh` does not run: no such file") == true)
  }

  @Test func `an after-run hook that denies fails the run`() async throws {
    let place = try place()
    try place.script("hooks/after-run.d/10-gate", "echo '{\"decision\":\"deny\",\"reason\":\"report is empty\"}'")
    #expect(try await place.penstock("up", "--once").code == 1)
    let run = try #require(try await place.runs().first)
    #expect(run.state == .failed && run.reason?.contains("report is empty") == true)
  }

  @Test func `an after-hook that denies voids what the stage left, also for a stage that may fail`() async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(stages: [
      ("make", "echo 1 >o; echo '{\"outputs\":[{\"name\":\"o\",\"path\":\"o\"}]}'"),
      ("use", "cat > \"$PENSTOCK_HOME/used.json\""),
    ])
    var text = place.text("pipelines/p.yaml").replacing("p-make.sh\"]", with: "p-make.sh\"]\n    on_error: continue")
    text += "hooks: { after-make: [ { run: [\"./broken.sh\"], on_error: fail } ] }\n"
    try place.write("pipelines/p.yaml", text)
    try place.script("broken.sh", "exit 1")
    try place.drop("a.csv")
    #expect(try await place.penstock("up", "--once").code == 0)
    let run = try #require(try await place.runs().first)
    #expect(try await place.attempts(run).map(\.state) == [.failed, .ok])
    let used = try JSON(parsing: place.bytes("used.json"))
    // as after any stage that left nothing: what it got itself
    #expect(used["inputs"]?.array?.map { $0["name"] } == ["input"], "\(used)")
  }

  @Test func `on-quarantine hooks are told of a drop that no run can take`() async throws {
    let place = try place()
    try place.script("hooks/on-quarantine.d/10", "cat > \"$PENSTOCK_HOME/told-$PENSTOCK_RUN.json\"")
    try place.script("hooks/on-arrival.d/10", "exit 2")
    #expect(symlink("/etc/passwd", place.path("inbox/link.csv")) == 0)
    #expect(try await place.penstock("up", "--once").code == 1)
    for run in try await place.runs() {
      let told = try JSON(parsing: place.bytes("told-\(run.id).json"))
      #expect(told["event"] == "on-quarantine" && told["drop"]?["name"] == .string(run.drop?.name.text ?? ""))
      #expect(told["outcome"]?["state"] == "quarantined")
      #expect(try await place.hookCalls(run).last?.event == "on-quarantine")
    }
    #expect(try await place.runs().count == 2)
  }
}
