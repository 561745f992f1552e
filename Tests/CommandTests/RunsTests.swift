import Core
import Testing

@Suite(.timeLimit(.minutes(2))) struct RunsTests {
  @Test func `without runs it says what to do`() async throws {
    let words =
      "no runs yet: drop a file with `penstock put FILE`, or start one with `penstock run PIPELINE`\n"
    try await Scene().expect("runs", stdout: words)
    try await Scene().expect("runs", "--json", stdout: "{\"api\":1,\"runs\":[]}\n")
    try await Scene().expect("runs", "--state", "done", stdout: "no such runs; `penstock runs` lists all\n")
  }

  @Test func `runs are listed, the newest first`() async throws {
    let scene = try Scene()
    let past = try Past(scene)
    try await past.run(1)
    try await past.run(
      2, pipeline: "tabular", drop: FileName("a.csv"), state: .failed, reason: "exit 1: no such column")
    try past.close()
    try await scene.expect(
      "runs",
      stdout: """
        run  pipeline  state   drop    started            took  reason
          2  tabular   failed  a.csv   2025-11-20 12:02  1m30s  stage `train`: exit 1: no such column
          1  fx        done    fx.csv  2025-11-20 12:01  1m30s

        """)
    let narrow = try await scene.ask("runs", "--pipeline", "fx", "--limit", "1")
    #expect(narrow.output.contains("fx.csv") && !narrow.output.contains("tabular"))
  }

  @Test func `programs get the keys that are promised`() async throws {
    let scene = try Scene()
    let past = try Past(scene)
    try await past.run(1, drop: FileName([0x61, 0xFF, 0x2E, 0x63]), state: .failed, reason: "why")
    try past.close()
    let run = try #require(try await scene.ask("runs", "--json").list("runs").first)
    let keys: Set<String> = ["id", "number", "pipeline", "state", "drop", "started", "ended", "reason"]
    #expect(keys.isSubset(of: Set(run.keys)))
    #expect(run["number"] as? Int == 1)
    #expect(run["drop"] as? String == "a\\xff.c")
    #expect(run["drop_b64"] as? String == "Yf8uYw==")
    #expect(run["started"] as? String == "2025-11-20T12:01:00.000Z")
    #expect(run["ended"] as? String == "2025-11-20T12:02:30.000Z")
    #expect(run["reason"] as? String == "why")
    let details = try #require(run["drop_details"] as? [String: Any])
    #expect(details["bytes"] as? Int == 2048)
  }

  @Test(arguments: [
    (
      ["runs", "--state", "faild"], "penstock: --state: no state is called `faild`; did you mean `failed`?\n"
    ),
    (
      ["show", "nope!"],
      "penstock: no runs yet: drop a file with `penstock put FILE`, or start one with `penstock run PIPELINE`\n"
    ),
    (
      ["show", "9"],
      "penstock: no runs yet: drop a file with `penstock put FILE`, or start one with `penstock run PIPELINE`\n"
    ),
    (["schema", "pipelin"], "penstock: no schema is called `pipelin`; did you mean `pipeline`?\n"),
    (
      ["stages", "show", "x"],
      "penstock: no stage is registered as `x`; `penstock stages` lists what there is\n"
    ),
    (
      ["logs", "last", "--level", "wrning"],
      "penstock: --level: no level is called `wrning`; did you mean `warning`?\n"
    ),
    (
      ["hooks", "test", "befor-run"], "penstock: no event is called `befor-run`; did you mean `before-run`?\n"
    ),
    (
      ["status", "--watch"],
      "penstock: --watch needs a terminal: without one, run `penstock status` as often as you like\n"
    ),
  ])
  func `a wrong argument is answered in words`(arguments: [String], words: String) async throws {
    let ended = try await Scene().ask(arguments)
    #expect(ended.output == "")
    #expect(ended.complaints == words)
    #expect(ended.code == 2)
  }
}
