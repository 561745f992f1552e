import Core
import Foundation
import Glibc
import Store
import Testing

/// Fan-out with the whole program: one call an item, and what becomes of those that fail.
@Suite(.timeLimit(.minutes(3))) struct ScenarioItemTests {
  /// - Parameter stages: name, program text, and what stands in `each`.
  private func place(_ stages: [(String, String, String?)], more: String = "") throws -> ScenarioWorkspace {
    let place = try ScenarioWorkspace()
    var text = "pipeline: { name: p }\ntrigger: { inbox: \"*.jsonl\" }\nstages:\n"
    for (name, program, each) in stages {
      try place.script("stages/\(name).sh", program)
      let input = each == nil ? ", \"${input}\"" : ""
      text +=
        "  - name: \(name)\n    run: [\"./stages/\(name).sh\"\(input)]\n" + (each.map { "    each: \($0)\n" } ?? "")
    }
    try place.write("pipelines/p.yaml", text + more)
    return place
  }

  private func items(_ count: Int) -> String { (0..<count).map { "{\"id\":\"q\($0)\",\"n\":\($0)}\n" }.joined() }

  private func run(_ place: ScenarioWorkspace) async throws -> Run {
    _ = try await place.penstock("up", "--once")
    return try #require(try await place.runs().last)
  }

  private static let effect = "cat >/dev/null; echo \"$PENSTOCK_ITEM\" >> \"$PENSTOCK_HOME/$PENSTOCK_STAGE.calls\""

  private func calls(_ place: ScenarioWorkspace, _ stage: String) -> [String] {
    place.text(stage + ".calls").split(separator: "\n").map(String.init)
  }

  @Test func `every item is called once, and a plain stage after them reads all results in their order`() async throws {
    let place = try place([
      (
        "one", Self.effect + "\nprintf '{\"data\":{\"was\":\"%s\"}}' \"$PENSTOCK_ITEM\"",
        "{ from: input, concurrency: 8 }"
      ),
      ("two", Self.effect, "{}"), ("sum", "cat >/dev/null; cp \"$1\" \"$PENSTOCK_HOME/seen\"", nil),
    ])
    try place.drop("a.jsonl", items(60))
    let run = try await run(place)
    #expect(run.state == .done, "\(run.reason ?? "")")
    for stage in ["one", "two"] { #expect(calls(place, stage).sorted() == (0..<60).map { "q\($0)" }.sorted()) }
    let expected = (0..<60).map { "{\"id\":\"q\($0)\",\"data\":{\"was\":\"q\($0)\"}}\n" }.joined()
    #expect(place.text("seen") == expected)
    let shown = try await place.penstock("show", "last").output
    #expect(shown.contains("60/60 items"), "\(shown)")
  }

  @Test func `items that fail are rows with their reasons, and min_success decides`() async throws {
    let program = Self.effect + "\n[ \"$PENSTOCK_ITEM\" != q17 ] || { echo 'no such thing' >&2; exit 3; }"
    for (each, state) in [("{ from: input }", RunState.failed), ("{ from: input, min_success: 99% }", .done)] {
      let place = try place([("one", program, each), ("next", "cat > \"$PENSTOCK_HOME/told\"", nil)])
      try place.drop("a.jsonl", items(200))
      let run = try await run(place)
      #expect(run.state == state)
      #expect(calls(place, "one").count == 200)
      let progress = try await place.reader { try await $0.itemProgress(of: run.id) }["one"]
      #expect(progress == ItemProgress(stage: "one", total: 200, ok: 199, failed: 1))
      let failed = try await place.penstock("show", "last", "--failed").output
      #expect(failed.contains("q17") && failed.contains("exit 3: no such thing"), "\(failed)")
      #expect(place.logged("item failed").count == 1)
      let json = try await place.penstock("show", "last", "--json").json
      let stage = try #require((json["stages"] as? [[String: Any]])?.first?["items"] as? [String: Any])
      #expect((stage["failures"] as? [[String: Any]])?.first?["id"] as? String == "q17")
      if state == .failed {
        #expect(run.reason == "stage `one` failed: 1 of 200 items failed: `q17`: exit 3: no such thing")
        #expect(!place.exists("told"))
      } else {
        #expect(place.text("told").contains("\"name\":\"failed\""))
      }
    }
  }

  @Test func `an item goes on to the next stage while others are still in the one before`() async throws {
    // the first item ends only when the second has come through both stages: a barrier would wait for ever
    let wait =
      "cat >/dev/null; [ \"$PENSTOCK_ITEM\" != q0 ] || while [ ! -e \"$PENSTOCK_HOME/q1\" ]; do sleep 0.02; done"
    for each in ["{}", "{ concurrency: 1 }"] {
      let place = try place([
        ("one", wait, "{ from: input, concurrency: 2 }"),
        ("two", "cat >/dev/null; touch \"$PENSTOCK_HOME/$PENSTOCK_ITEM\"", each),
      ])
      try place.drop("a.jsonl", items(2))
      #expect(try await run(place).state == .done)
    }
  }

  @Test func `several items are one call where batch says so, each with its own reply`() async throws {
    let reply = """
      import json, sys
      items = json.load(sys.stdin)["items"]
      print(len(items), file=open(__import__("os").environ["PENSTOCK_HOME"] + "/sizes", "a"))
      print(json.dumps({"items": [
        {"id": i["id"], "status": "fail" if i["data"]["n"] == 5 else "ok", "reason": "five", "data": {"twice": i["data"]["n"] * 2}}
        for i in items]}))
      """
    let place = try place([("one", "", "{ from: input, concurrency: 1, batch: 4, min_success: 90% }")])
    try place.write("stages/one.sh", "#!/usr/bin/env python3\n" + reply + "\n", mode: 0o755)
    try place.drop("a.jsonl", items(10))
    let run = try await run(place)
    #expect(run.state == .done, "\(run.reason ?? "") \(place.tail)")
    #expect(place.text("sizes") == "4\n4\n2\n")
    let rows = try await place.reader { try await $0.items(of: run.id, stage: "one", limit: 99) }
    #expect(rows.filter { $0.state == .failed }.map(\.reason) == ["five"])
    #expect(rows.first?.data == "{\"twice\":0}")
  }

  @Test func `an item is tried as often as its retry says, and what asks for another try gets it`() async throws {
    let program =
      Self.effect + """

        case "$PENSTOCK_ITEM" in
          q1) mkdir "$PENSTOCK_HOME/once" 2>/dev/null && exit 1 ;;
          q2) exit 2 ;;
          q3) exit 1 ;;
        esac
        exit 0
        """
    let place = try place([("one", program, "{ from: input, min_success: 50%, retry: { attempts: 2, backoff: 10ms } }")]
    )
    try place.drop("a.jsonl", items(4))
    let run = try await run(place)
    #expect(run.state == .done)
    let rows = try await place.reader { try await $0.items(of: run.id, stage: "one", limit: 9) }
    #expect(rows.map { "\($0.id) \($0.state) \($0.tries)" } == ["q0 ok 1", "q1 ok 2", "q2 failed 1", "q3 failed 2"])
  }

  @Test func `a stage at medium takes the same part of the items in every run`() async throws {
    let place = try place(
      [("one", Self.effect, "{ from: input }"), ("two", Self.effect, "{}")])
    try place.write(
      "pipelines/p.yaml",
      place.text("pipelines/p.yaml").replacingOccurrences(
        of: "    each: { from: input }",
        with: "    granularity: medium\n    medium: { sample: 25% }\n    each: { from: input }"))
    try place.drop("a.jsonl", items(80))
    let run = try await run(place)
    #expect(run.state == .done, "\(run.reason ?? "")")
    let sample = (0..<80).map { "q\($0)" }.filter { ItemSample(0.25).takes($0) }
    #expect(calls(place, "one").sorted() == sample.sorted() && calls(place, "two").sorted() == sample.sorted())
    #expect(try await place.reader { try await $0.itemProgress(of: run.id) }["two"]?.total == sample.count)
  }

  @Test func `a stage that is off lets the items through as they are`() async throws {
    let place = try place([("one", Self.effect, "{ from: input }"), ("two", Self.effect, "{}")])
    try place.write("a.jsonl", items(3))
    let agent = try await place.up()
    let ended = try await place.penstock(
      "run", "p", "--input", place.path("a.jsonl"), "--granularity", "one=off", "--wait")
    #expect(ended.code == 0, "\(ended.output) \(ended.complaints)")
    #expect(calls(place, "one").isEmpty && calls(place, "two").sorted() == ["q0", "q1", "q2"])
    _ = try await place.stop(agent)
  }

  @Test func `a file that has no items to give fails the stage in words, before any call`() async throws {
    let place = try place([("one", Self.effect, "{ from: input }")])
    try place.drop("a.jsonl", items(5) + "{\"id\":\"q3\"}\n")
    let run = try await run(place)
    #expect(
      run.reason == "stage `one` failed: input:6 has the id `q3`, as line 4 has: the id of an item must be its own")
    #expect(calls(place, "one").isEmpty)
  }

  @Test func `a program that cannot be started fails its stage at once, not item by item`() async throws {
    let place = try place([("one", "", "{ from: input }")])
    try place.write("stages/one.sh", "#!/nowhere/at/all\n", mode: 0o755)
    try place.drop("a.jsonl", items(500))
    let run = try await run(place)
    #expect(run.state == .failed && run.reason?.contains("/nowhere/at/all") == true, "\(run.reason ?? "")")
    #expect(try await place.reader { try await $0.items(of: run.id, stage: "one", limit: 9) }.isEmpty)
  }

  @Test func `one that flows with others and cannot be started is what fails`() async throws {
    let place = try place([("one", Self.effect, "{ from: input }\n    on_interrupt: fail"), ("two", "", "{}")])
    try place.write("stages/two.sh", "#!/nowhere/at/all\n", mode: 0o755)
    try place.drop("a.jsonl", items(50))
    let run = try await run(place)
    #expect(run.state == .failed && run.failedStage == "two", "\(run.reason ?? "")")
    #expect(
      try await place.attempts(run).map { "\($0.stage) \($0.state)" }.sorted() == ["one interrupted", "two failed"])
  }

  @Test func `items are called in a worker that stays, and one that dies loses none`() async throws {
    let place = try ScenarioWorkspace()
    try place.write(
      "stages/own/worker.py",
      """
      #!/usr/bin/env python3
      import json, os, signal, sys
      home = os.environ["PENSTOCK_HOME"]
      open(home + "/starts", "a").write("x\\n")
      for line in sys.stdin:
          request = json.loads(line)
          item = request["item"]
          if item["id"] == "q30" and not os.path.exists(home + "/died"):
              open(home + "/died", "w")
              os.kill(os.getpid(), signal.SIGKILL)
          print(json.dumps({"id": request["id"], "data": {"twice": item["data"].get("n", 0) * 2}}), flush=True)

      """, mode: 0o755)
    try place.write(
      "stages/own/twice.yaml",
      """
      stage: own/twice
      version: 1.0.0
      summary: "twice a number"
      run: ["\(place.path("stages/own/worker.py"))"]
      persistent: true
      worker: { in_flight: 4, most: 1 }

      """)
    try place.write(
      "pipelines/p.yaml",
      """
      pipeline: { name: p }
      trigger: { inbox: "*.jsonl" }
      stages: [ { name: one, uses: own/twice, each: { from: input, concurrency: 8 } } ]

      """)
    try place.drop("a.jsonl", items(80))
    let run = try await run(place)
    #expect(run.state == .done, "\(run.reason ?? "") \(place.tail)")
    let rows = try await place.reader { try await $0.items(of: run.id, stage: "one", limit: 99) }
    #expect(rows.map(\.data) == (0..<80).map { "{\"twice\":\($0 * 2)}" })
    #expect(place.text("starts") == "x\nx\n")
  }
}
