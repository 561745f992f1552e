import Core
import Foundation
import TestSupport
import Testing

/// Stages as a graph, with the real program: DESIGN 6.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ScenarioGraphTests {
  private func once(_ place: ScenarioWorkspace, code: Int32 = 0, drop: String = "a.csv") async throws -> Run {
    try place.drop(drop)
    let up = try await place.penstock("up", "--once")
    #expect(up.code == code, "\(up.output)\(up.complaints)")
    return try #require(try await place.runs().last)
  }

  /// Meets its sibling, or fails: neither can go on before both have begun.
  private func meeting(_ own: String, _ other: String) -> String {
    """
    echo > "$PENSTOCK_HOME/\(own)"
    n=0; until [ -e "$PENSTOCK_HOME/\(other)" ]; do n=$((n+1)); [ $n -gt 400 ] && exit 2; sleep 0.05; done
    echo '{"context":{"\(own)":1},"outputs":[]}'
    """
  }

  @Test func `branches run at the same time, and what joins them sees what both said`() async throws {
    let place = try ScenarioWorkspace(settings: "concurrency: 2\n")
    for (name, text) in [
      ("first", "true"), ("left", meeting("left", "right")), ("right", meeting("right", "left")),
      ("join", "cat > \"$PENSTOCK_HOME/joined\""),
    ] { try place.script("stages/\(name).sh", text) }
    try place.write(
      "pipelines/p.yaml",
      """
      pipeline: { name: p }
      trigger: { inbox: "*.csv" }
      stages:
        - { name: first, run: [./stages/first.sh] }
        - { name: left, run: [./stages/left.sh], needs: [first] }
        - { name: right, run: [./stages/right.sh], needs: [first] }
        - { name: join, run: [./stages/join.sh], needs: [left, right] }
      """)
    let run = try await once(place)
    #expect(run.state == .done, "\(run.reason ?? "")")
    let told = try JSON(parsing: Data(place.bytes("joined")))
    #expect(told["context"] == ["left": 1, "right": 1])
    #expect(try await place.attempts(run).allSatisfy { $0.state == .ok })
  }

  @Test func `a branch that fails lets its sibling end, and nothing more begins`() async throws {
    let place = try ScenarioWorkspace(settings: "concurrency: 2\n")
    try place.script("stages/bad.sh", meeting("bad", "good") + "\nexit 1")
    try place.script("stages/good.sh", meeting("good", "bad") + "\nsleep 0.3")
    try place.script("stages/never.sh", "echo > \"$PENSTOCK_HOME/never\"")
    try place.write(
      "pipelines/p.yaml",
      """
      pipeline: { name: p }
      trigger: { inbox: "*.csv" }
      stages:
        - { name: bad, run: [./stages/bad.sh] }
        - { name: good, run: [./stages/good.sh], needs: [] }
        - { name: never, run: [./stages/never.sh], needs: [good] }
      """)
    let run = try await once(place, code: 1)
    #expect(run.state == .failed && run.failedStage == "bad")
    let states = Dictionary(uniqueKeysWithValues: try await place.attempts(run).map { ($0.stage, $0.state) })
    #expect(states == ["bad": .failed, "good": .ok])
    #expect(!place.exists("never"))
  }

  @Test func `a branch is tried again while the other is still at work`() async throws {
    let place = try ScenarioWorkspace(settings: "concurrency: 2\n")
    try place.script(
      "stages/flaky.sh",
      "[ \"$PENSTOCK_ATTEMPT\" = 2 ] && { echo > \"$PENSTOCK_HOME/again\"; exit 0; }; exit 1")
    try place.script(
      "stages/long.sh",
      "n=0; until [ -e \"$PENSTOCK_HOME/again\" ]; do n=$((n+1)); [ $n -gt 400 ] && exit 2; sleep 0.05; done")
    try place.write(
      "pipelines/p.yaml",
      """
      pipeline: { name: p }
      trigger: { inbox: "*.csv" }
      stages:
        - { name: flaky, run: [./stages/flaky.sh], retry: { attempts: 2, backoff: 20ms } }
        - { name: long, run: [./stages/long.sh], needs: [] }
      """)
    let run = try await once(place)
    #expect(run.state == .done, "\(run.reason ?? "")")
    #expect(try await place.attempts(run).first { $0.n == 1 && $0.stage == "flaky" }?.again != nil)
  }

  @Test func `a stage runs only when its condition holds`() async throws {
    let place = try ScenarioWorkspace()
    try place.script("stages/count.sh", "echo '{\"context\":{\"rows\":7},\"metrics\":{\"score\":0.5}}'")
    try place.script("stages/touch.sh", "echo > \"$PENSTOCK_HOME/ran-$PENSTOCK_STAGE\"")
    try place.write(
      "pipelines/p.yaml",
      """
      pipeline: { name: p }
      trigger: { inbox: "{pair}.csv" }
      stages:
        - { name: count, run: [./stages/count.sh] }
        - { name: big, run: [./stages/touch.sh], when: "context ->> 'rows' > 100" }
        - { name: small, run: [./stages/touch.sh], when: "context ->> 'rows' < 100 AND captures ->> 'pair' = 'a'" }
        - { name: unknown, run: [./stages/touch.sh], when: "context ->> 'nothing' > 1" }
        - { name: good, run: [./stages/touch.sh], when: "metrics ->> '$.count.score' >= 0.5" }
      """)
    let run = try await once(place)
    let attempts = try await place.attempts(run)
    #expect(attempts.map(\.state) == [.ok, .skipped, .ok, .skipped, .ok])
    #expect(attempts[1].reason == "`when` does not hold: context ->> 'rows' > 100")
    #expect(!place.exists("ran-big") && place.exists("ran-small") && place.exists("ran-good"))
  }

  @Test func `a bad condition is an error of check, with its place`() async throws {
    let place = try ScenarioWorkspace()
    try place.write(
      "pipelines/p.yaml",
      "pipeline: { name: p }\nstages:\n  - { name: a, run: [/bin/true], when: \"rows > 1\" }\n"
        + "  - { name: b, run: [/bin/true], when: \"load_extension('x')\" }\n")
    let check = try await place.penstock("check")
    #expect(check.code == 2)
    #expect(check.output.contains("p.yaml:3:"), "\(check.output)")
    #expect(check.output.contains("`when`: no such column: rows"), "\(check.output)")
    #expect(check.output.contains("load_extension"), "\(check.output)")
  }

  @Test func `a failure is tried again by its class`() async throws {
    let place = try ScenarioWorkspace()
    let failing = "echo \"{\\\"status\\\":\\\"fail\\\",\\\"error\\\":\\\"$1\\\",\\\"reason\\\":\\\"no\\\"}\""
    try place.script("stages/fail.sh", failing)
    try place.write(
      "pipelines/p.yaml",
      """
      pipeline: { name: p }
      trigger: { inbox: "*.csv" }
      stages:
        - { name: model, run: [./stages/fail.sh, model.diverged], on_error: continue,
            retry: { attempts: 2, backoff: 10ms, on: [model, system] } }
        - { name: data, run: [./stages/fail.sh, data], retry: { attempts: 3, backoff: 10ms, on: [model, system] } }
      """)
    let run = try await once(place, code: 1)
    let attempts = try await place.attempts(run)
    #expect(attempts.map(\.stage) == ["model", "model", "data"])
    #expect(attempts.compactMap(\.error?.code) == ["model.diverged", "model.diverged", "data.said"])
    let shown = try JSON(parsing: Data(try await place.penstock("show", "last", "--json").output.utf8))
    #expect(shown["stages"]?.array?[0]["attempts"]?.array?[0]["error"] == "model.diverged", "\(shown)")
  }

  @Test func `a stage that fails again and again is left alone, and status says so`() async throws {
    let place = try ScenarioWorkspace()
    try place.script("stages/fail.sh", "echo x >> \"$PENSTOCK_HOME/calls\"; exit 1")
    try place.write(
      "pipelines/p.yaml",
      """
      pipeline: { name: p }
      trigger: { inbox: "*.csv" }
      stages:
        - { name: send, run: [./stages/fail.sh], breaker: { failures: 2, cooldown: 1h } }
      """)
    for name in ["a.csv", "b.csv"] { _ = try await once(place, code: 1, drop: name) }
    try place.drop("c.csv")
    let agent = try await place.up()
    try await until("the third run to wait") { try await place.runs().last?.state == .waiting }
    let third = try #require(try await place.runs().last)
    #expect(third.reason?.contains("stage `send` is left alone: 2 failures in a row") == true, "\(third.reason ?? "")")
    #expect(place.text("calls").count == 4)
    let status = try await place.penstock("status")
    #expect(status.output.contains("`send`") && status.output.contains("2 failures in a row"), "\(status.output)")
    let json = try JSON(parsing: Data(try await place.penstock("status", "--json").output.utf8))
    #expect(json["breakers"]?.array?.first?["stage"] == "send")
    _ = try await place.stop(agent)
  }

  @Test func `a run that takes longer than the pipeline's timeout fails and says so`() async throws {
    let place = try ScenarioWorkspace()
    try place.write(
      "pipelines/p.yaml",
      """
      pipeline: { name: p, timeout: 300ms }
      trigger: { inbox: "*.csv" }
      stages:
        - { name: a, run: [/bin/sleep, "600"] }
        - { name: b, run: [/bin/true] }
      """)
    let run = try await once(place, code: 1)
    #expect(run.state == .failed && run.reason == "took longer than the pipeline's timeout of 300ms")
    #expect(try await place.attempts(run).map(\.state) == [.cancelled])
  }

  @Test func `no more runs of a pipeline are at work than it allows, and others pass them`() async throws {
    let place = try ScenarioWorkspace(settings: "concurrency: 4\n")
    let counting = """
      mkdir "$PENSTOCK_HOME/inside" || exit 2
      n=0; until [ -e "$PENSTOCK_HOME/other" ]; do n=$((n+1)); [ $n -gt 400 ] && exit 2; sleep 0.05; done
      rmdir "$PENSTOCK_HOME/inside"
      """
    try place.script("stages/alone.sh", counting)
    try place.write(
      "pipelines/p.yaml",
      "pipeline: { name: p, concurrency: 1 }\ntrigger: { inbox: \"*.csv\" }\n"
        + "stages: [ { name: a, run: [./stages/alone.sh] } ]\n")
    try place.pipeline("other", inbox: "*.txt", stages: [("free", "echo > \"$PENSTOCK_HOME/other\"")])
    for name in ["a.csv", "b.csv", "c.csv", "z.txt"] { try place.drop(name) }
    let up = try await place.penstock("up", "--once")
    #expect(up.code == 0, "\(up.output)\(up.complaints)")
    #expect(try await place.runs().allSatisfy { $0.state == .done })
  }

  @Test func `a stage that is limited lets other runs pass while it is taken`() async throws {
    let place = try ScenarioWorkspace(settings: "concurrency: 2\n")
    try place.script(
      "stages/alone.sh",
      """
      mkdir "$PENSTOCK_HOME/inside" || exit 2
      n=0; until [ -e "$PENSTOCK_HOME/other" ]; do n=$((n+1)); [ $n -gt 400 ] && exit 2; sleep 0.05; done
      rmdir "$PENSTOCK_HOME/inside"
      """)
    try place.write(
      "pipelines/p.yaml",
      "pipeline: { name: p }\ntrigger: { inbox: \"*.csv\", priority: 5 }\n"
        + "stages: [ { name: a, run: [./stages/alone.sh], concurrency: 1 } ]\n")
    try place.pipeline("other", inbox: "*.txt", stages: [("free", "echo > \"$PENSTOCK_HOME/other\"")])
    for name in ["a.csv", "b.csv", "c.csv", "d.csv", "z.txt"] { try place.drop(name) }
    let up = try await place.penstock("up", "--once")
    #expect(up.code == 0, "\(up.output)\(up.complaints)")
    #expect(try await place.runs().allSatisfy { $0.state == .done })
  }

  @Test func `cancelling ends every branch, and their after-hooks are told`() async throws {
    let place = try ScenarioWorkspace(settings: "concurrency: 2\n")
    for name in ["left", "right"] {
      try place.script("stages/\(name).sh", "echo > \"$PENSTOCK_HOME/\(name)\"; exec sleep 600")
    }
    try place.script("hooks/after-stage.d/10-note", "cat >> \"$PENSTOCK_HOME/told\"; echo >> \"$PENSTOCK_HOME/told\"")
    try place.write(
      "pipelines/p.yaml",
      """
      pipeline: { name: p }
      trigger: { inbox: "*.csv" }
      stages:
        - { name: left, run: [./stages/left.sh] }
        - { name: right, run: [./stages/right.sh], needs: [] }
      """)
    let agent = try await place.up()
    try place.drop("a.csv")
    try await until("both branches") { place.exists("left") && place.exists("right") }
    #expect(try await place.penstock("cancel", "last").code == 0)
    let run = try #require(try await place.ended().last)
    #expect(run.state == .cancelled)
    #expect(try await place.attempts(run).map(\.state) == [.cancelled, .cancelled])
    #expect(place.text("told").split(separator: "\n").filter { $0.contains("\"cancelled\"") }.count == 2)
    _ = try await place.stop(agent)
  }

  @Test func `branches that were interrupted both run again, and none twice at once`() async throws {
    let place = try ScenarioWorkspace(settings: "concurrency: 2\n")
    for name in ["left", "right"] {
      try place.script(
        "stages/\(name).sh",
        "echo $PENSTOCK_ATTEMPT >> \"$PENSTOCK_HOME/\(name)\"; [ $PENSTOCK_ATTEMPT = 1 ] && exec sleep 600; exit 0")
    }
    try place.write(
      "pipelines/p.yaml",
      """
      pipeline: { name: p }
      trigger: { inbox: "*.csv" }
      stages:
        - { name: left, run: [./stages/left.sh] }
        - { name: right, run: [./stages/right.sh], needs: [] }
      """)
    let agent = try await place.up()
    try place.drop("a.csv")
    try await until("both branches") { place.text("left") == "1\n" && place.text("right") == "1\n" }
    agent.signal(SIGKILL)
    _ = try await agent.end()
    let up = try await place.penstock("up", "--once")
    #expect(up.code == 0, "\(up.complaints)")
    #expect(place.text("left") == "1\n2\n" && place.text("right") == "1\n2\n")
    let run = try #require(try await place.runs().last)
    let attempts = try await place.attempts(run)
    for stage in ["left", "right"] {
      #expect(attempts.filter { $0.stage == stage }.sorted { $0.n < $1.n }.map(\.state) == [.interrupted, .ok])
    }
  }

  @Test func `what hooks and stages put into the context is there after a wait`() async throws {
    let place = try ScenarioWorkspace()
    try place.script("hooks/before-run.d/10-say", "echo '{\"patch\":{\"context\":{\"hook\":1}}}'")
    try place.script("stages/first.sh", "echo '{\"context\":{\"first\":2}}'")
    try place.script(
      "stages/second.sh", "[ \"$PENSTOCK_ATTEMPT\" = 1 ] && exit 75; cat > \"$PENSTOCK_HOME/seen\"")
    try place.write(
      "pipelines/p.yaml",
      """
      pipeline: { name: p }
      trigger: { inbox: "*.csv" }
      stages:
        - { name: first, run: [./stages/first.sh] }
        - { name: second, run: [./stages/second.sh], retry: { backoff: 10ms } }
      """)
    #expect(try await once(place).state == .done)
    #expect(try JSON(parsing: place.bytes("seen"))["context"] == ["hook": 1, "first": 2])
  }

  @Test func `a run that reads the drop of another is told of it`() async throws {
    let place = try ScenarioWorkspace()
    try place.script("stages/see.sh", "cat > \"$PENSTOCK_HOME/seen-$PENSTOCK_RUN\"")
    try place.write(
      "pipelines/p.yaml",
      """
      pipeline: { name: p }
      trigger: { inbox: "f-{n}.csv" }
      stages:
        - { name: see, run: [./stages/see.sh], when: "captures ->> 'n' = '7' AND name = 'f-7.csv'" }
      """)
    _ = try await once(place, drop: "f-7.csv")
    for _ in 1...2 {
      let again = try await place.penstock("rerun", "last", "--wait")
      #expect(again.code == 0, "\(again.output)\(again.complaints)")
    }
    for run in try await place.runs() {
      #expect(try await place.attempts(run).map(\.state) == [.ok])
      #expect(try JSON(parsing: place.bytes("seen-\(run.id)"))["drop"]?["captures"] == ["n": "7"])
    }
    #expect(try await place.penstock("runs").output.components(separatedBy: "f-7.csv").count == 4)
  }

  @Test func `a condition that cannot be evaluated fails its own stage, and nothing of the others is lost`()
    async throws
  {
    let place = try ScenarioWorkspace()
    try place.write(
      "pipelines/p.yaml",
      """
      pipeline: { name: p }
      trigger: { inbox: "*.csv" }
      stages:
        - { name: first, run: [/bin/true] }
        - { name: odd, run: [/bin/true], when: "context ->> '$[' = 1" }
      """)
    let run = try await once(place, code: 1)
    #expect(run.failedStage == "odd" && run.reason?.contains("`when` cannot be evaluated") == true)
    #expect(try await place.attempts(run).map(\.state) == [.ok, .failed])
  }

  @Test func `a breaker counts an end before it is recorded, and one run alone tries again`() async throws {
    let place = try ScenarioWorkspace(settings: "concurrency: 4\n")
    try place.script("stages/fail.sh", "echo x >> \"$PENSTOCK_HOME/calls\"; exit 1")
    try place.write(
      "pipelines/p.yaml",
      """
      pipeline: { name: p }
      trigger: { inbox: "*.csv" }
      stages:
        - { name: send, run: [./stages/fail.sh], concurrency: 1, breaker: { failures: 2, cooldown: 1h } }
      """)
    let agent = try await place.up()
    for name in 1...6 { try place.drop("\(name).csv") }
    try await until("four runs to wait") { try await place.runs().filter { $0.state == .waiting }.count == 4 }
    #expect(place.text("calls") == "x\nx\n")
    _ = try await place.stop(agent)
  }
}
