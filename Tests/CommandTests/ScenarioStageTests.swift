import Core
import Foundation
import TestSupport
import Testing

/// What a stage is given and what becomes of its endings, with the real program: DESIGN 6 and 7.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ScenarioStageTests {
  /// Runs one drop through stages and gives the run.
  private func run(
    _ place: ScenarioWorkspace, drop: String = "a.csv", code: Int32
  ) async throws -> Run {
    try place.drop(drop)
    let up = try await place.penstock("up", "--once")
    #expect(up.code == code, "\(up.output)\(up.complaints)")
    return try #require(try await place.runs().last)
  }

  /// Fails until it was started `times` times.
  private func failing(_ times: Int, _ ending: String) -> String {
    """
    n=$(cat "$PENSTOCK_HOME/tries" 2>/dev/null || echo 0); n=$((n + 1)); echo $n > "$PENSTOCK_HOME/tries"
    [ $n -gt \(times) ] && exit 0
    \(ending)
    """
  }

  @Test func `a failed stage is tried again after its back-off`() async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(
      stages: [("flaky", failing(2, "exit 1"))],
      more: "    retry: { attempts: 3, backoff: 100ms, factor: 3, jitter: 0% }\n")
    let run = try await run(place, code: 0)
    let attempts = try await place.attempts(run)
    #expect(attempts.map(\.state) == [.failed, .failed, .ok])
    let gaps = zip(attempts, attempts.dropFirst()).map { $1.started.timeIntervalSince($0.ended ?? .distantFuture) }
    #expect(gaps[0] >= 0.099 && gaps[1] >= 0.299)
    #expect(attempts.map(\.n) == [1, 2, 3])
  }

  @Test(arguments: ["exit 75", "echo '{\"status\":\"retry\"}'"])
  func `a stage that asks is tried again although retry says one`(ending: String) async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(stages: [("asks", failing(2, ending))], more: "    retry: { attempts: 1, backoff: 10ms }\n")
    #expect(try await place.attempts(run(place, code: 0)).map(\.state) == [.failed, .failed, .ok])
  }

  @Test func `exit 2 is never tried again`() async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(
      stages: [("hopeless", failing(1, "exit 2"))], more: "    retry: { attempts: 5, backoff: 10ms }\n")
    #expect(try await place.attempts(run(place, code: 1)).map(\.state) == [.failed])
  }

  @Test func `when all tries failed the fallback's parameters are tried once`() async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(
      stages: [
        (
          "train",
          "cat >> \"$PENSTOCK_HOME/seen\"; echo >> \"$PENSTOCK_HOME/seen\"; grep -q ridge \"$PENSTOCK_HOME/seen\""
        )
      ],
      more:
        "    params: { model: xgboost, depth: 6 }\n    retry: { attempts: 2, backoff: 10ms }\n    fallback: { params: { model: ridge } }\n"
    )
    #expect(try await place.attempts(run(place, code: 0)).map(\.state) == [.failed, .failed, .ok])
    let seen = place.text("seen").split(separator: "\n").compactMap { try? JSON(parsing: Data($0.utf8)) }
    #expect(seen.map { $0["stage"]?["params"]?["model"] } == ["xgboost", "xgboost", "ridge"])
    #expect(seen.last?["stage"]?["params"]?["depth"] == 6)
  }

  @Test func `P01 a stage over its timeout is ended with its tree`() async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(stages: [("slow", "setsid sleep 300 & sleep 300")], more: "    timeout: 200ms\n")
    let run = try await run(place, code: 1)
    #expect(try await place.attempts(run).map(\.state) == [.timeout])
    #expect(run.reason == "stage `slow` failed: took longer than its timeout of 200ms")
    #expect(ScenarioProcesses.marked("PENSTOCK_HOME=\(place.home)").isEmpty)
  }

  @Test func `on_error continue lets the run go on`() async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(stages: [("notify", "exit 1"), ("train", "exit 0")])
    try place.write(
      "pipelines/p.yaml",
      place.text("pipelines/p.yaml").replacing("p-notify.sh\"]", with: "p-notify.sh\"]\n    on_error: continue"))
    let run = try await run(place, code: 0)
    #expect(run.state == .done)
    #expect(try await place.attempts(run).map(\.state) == [.failed, .ok])
  }

  @Test func `needs is a graph: each stage gets the outputs of those it names`() async throws {
    let place = try ScenarioWorkspace()
    let leave = { (name: String) in
      "cat > e.json; echo '{\"outputs\":[{\"name\":\"\(name)\",\"path\":\"e.json\"}],\"context\":{\"\(name)\":1,\"last\":\"\(name)\"}}'"
    }
    try place.pipeline(stages: [
      ("a", leave("a")), ("b", leave("b")), ("c", leave("c")), ("d", "cat > \"$PENSTOCK_HOME/d.json\""),
    ])
    let text = place.text("pipelines/p.yaml").replacing("p-c.sh\"]", with: "p-c.sh\"]\n    needs: [a]")
      .replacing("p-d.sh\"]", with: "p-d.sh\"]\n    needs: [c, b]")
    try place.write("pipelines/p.yaml", text)
    let run = try await run(place, code: 0)
    let d = try JSON(parsing: place.bytes("d.json"))
    #expect(
      d["inputs"]?.array?.map { $0["name"] } == ["c", "b"] && d["inputs"]?.array?.map { $0["stage"] } == ["c", "b"])
    // in the order of the pipeline, whichever ended first
    #expect(d["context"] == ["a": 1, "b": 1, "c": 1, "last": "c"])
    let c = try JSON(parsing: place.bytes("var/runs/\(run.id)/c/e.json"))
    #expect(c["inputs"]?.array?.map { $0["name"] } == ["a"] && c["context"] == ["a": 1, "last": "a"])
  }

  @Test(arguments: [
    ("../../../../escape", "leaves the working directory"), ("/etc/passwd", "leaves the working directory"),
    ("link", "leaves the working directory"), ("missing", "is not there"), ("dir", "no regular file"),
    ("pipe", "no regular file"),
  ])
  func `an output that is none is refused`(path: String, words: String) async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(stages: [
      (
        "bad",
        "touch \"$PENSTOCK_HOME/escape\"; ln -s /etc/passwd link; mkdir dir; mkfifo pipe; echo '{\"outputs\":[{\"name\":\"o\",\"path\":\"\(path)\"}]}'"
      )
    ])
    let run = try await run(place, code: 1)
    #expect(run.reason?.contains(words) == true, "\(run.reason ?? "")")
    #expect(try await place.attempts(run).map(\.state) == [.failed])
    #expect(!place.exists("var/runs/\(run.id)/bad"))
  }

  @Test(arguments: [
    "{\"status\":\"great\"}", "{}{}", "[1]", "not json", "{\"outputs\":{}}", "{\"metrics\":{\"x\":1e999}}",
    "{\"metrics\":{\"x\":NaN}}", "\u{FEFF}{}", "\"\\ud800\"",
  ])
  func `P05 a reply that is none fails the stage and harms nobody else`(reply: String) async throws {
    let place = try ScenarioWorkspace()
    try place.write("reply", reply)
    try place.pipeline(stages: [("bad", "cat \"$PENSTOCK_HOME/reply\"")])
    try place.pipeline("good", inbox: "*.txt", stages: [("only", "exit 0")])
    try place.drop("b.txt")
    try place.drop("a.csv")
    #expect(try await place.penstock("up", "--once").code == 1)
    let runs = try await place.runs()
    let bad = try #require(runs.first { $0.pipeline == "p" })
    #expect(bad.state == .failed && bad.reason?.contains("bad reply") == true, "\(bad.reason ?? "")")
    #expect(runs.first { $0.pipeline == "good" }?.state == .done)
  }

  @Test func `the largest numbers of a reply are kept, or refused as a bad reply`() async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(stages: [
      ("only", "echo '{\"metrics\":{\"big\":9223372036854775808,\"small\":1e-320,\"whole\":9007199254740993}}'")
    ])
    let run = try await run(place, code: 0)
    #expect(try await place.attempts(run).first?.metrics["whole"] == .integer(9_007_199_254_740_993))
  }

  @Test func `off bypasses a stage and hands its inputs on`() async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(stages: [
      ("make", "echo 1 >o; echo '{\"outputs\":[{\"name\":\"o\",\"path\":\"o\"}]}'"),
      ("clean", "touch \"$PENSTOCK_HOME/cleaned\""), ("use", "cat > \"$PENSTOCK_HOME/used.json\""),
    ])
    try place.write(
      "pipelines/p.yaml",
      place.text("pipelines/p.yaml").replacing("p-clean.sh\"]", with: "p-clean.sh\"]\n    granularity: off"))
    let run = try await run(place, code: 0)
    #expect(!place.exists("cleaned"))
    #expect(try await place.attempts(run).map(\.state) == [.ok, .skipped, .ok])
    #expect(try JSON(parsing: place.bytes("used.json"))["inputs"]?.array?.map { $0["name"] } == ["o"])
  }

  @Test func `names of the drop fill parameters and arguments, one element each`() async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(
      inbox: "fx-{pair}.csv",
      stages: [("only", "printf '%s\\n' \"$@\" > \"$PENSTOCK_HOME/args\"; cat > \"$PENSTOCK_HOME/e.json\"")],
      more: "    params: { pair: \"${file.pair}\", n: 3 }\n")
    try place.write(
      "pipelines/p.yaml",
      place.text("pipelines/p.yaml").replacing(
        "p-only.sh\"]", with: "p-only.sh\", \"--pair=${file.pair}\", \"${input}\", \"${params.n}\", \"$${x}\"]"))
    let run = try await run(place, drop: "fx-$(id) ${input}.csv", code: 0)
    let captured = "$(id) ${input}"
    #expect(
      place.text("args") == "--pair=\(captured)\n\(place.path("var/work/\(run.id)/fx-\(captured).csv"))\n3\n${x}\n")
    #expect(try JSON(parsing: place.bytes("e.json"))["stage"]?["params"] == ["pair": .string(captured), "n": 3])
    #expect(run.drop?.captures == ["pair": captured])
  }

  @Test func `P11 programs get the environment of the contract and nothing else`() async throws {
    let place = try ScenarioWorkspace(
      settings: "env: [FROM_SETTINGS]\n",
      environment: [
        "FROM_SETTINGS": "s", "FROM_PIPELINE": "p", "LEAKED": "never", "LD_LIBRARY_PATH": "/nowhere", "LANG": "C.UTF-8",
      ])
    try place.pipeline(
      stages: [("only", "tr '\\0' '\\n' < /proc/$$/environ > \"$PENSTOCK_HOME/env\"")],
      more: "env: [FROM_PIPELINE, NOT_SET]\n")
    let run = try await run(place, code: 0)
    let lines = place.text("env").split(separator: "\n").map { $0.split(separator: "=", maxSplits: 1).map(String.init) }
    var environment = Dictionary(uniqueKeysWithValues: lines.map { ($0[0], $0.count > 1 ? $0[1] : "") })
    let own = (try builtProduct("penstock") as NSString).deletingLastPathComponent
    let trace = environment.removeValue(forKey: "TRACEPARENT") ?? ""
    #expect(trace.hasPrefix("00-\(run.id.text.replacing("-", with: ""))-") && trace.count == 55)
    #expect(
      environment == [
        "PENSTOCK_API": "1", "PENSTOCK_HOME": place.home, "PENSTOCK_RUN": run.id.text, "PENSTOCK_PIPELINE": "p",
        "PENSTOCK_STAGE": "only", "PENSTOCK_EVENT": "stage", "PENSTOCK_ATTEMPT": "1", "PENSTOCK_GRANULARITY": "coarse",
        "PENSTOCK_SEED": "42", "PENSTOCK_OUT": place.path("var/runs/\(run.id)/only.1"),
        "PENSTOCK_IDEMPOTENCY_KEY": "\(run.id)/only", "PATH": "/usr/bin:/bin:" + own, "LANG": "C.UTF-8", "TZ": "UTC",
        "HOME": "/nowhere", "FROM_SETTINGS": "s", "FROM_PIPELINE": "p",
      ])
  }

  @Test func `P12 no descriptor but the three comes with a program`() async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(stages: [("only", "readlink /proc/$$/fd/* > \"$PENSTOCK_HOME/fds\"; exit 0")])
    _ = try await run(place, code: 0)
    let own = ["p-only.sh", "/fds", "pipe:", "/memfd:"]
    let leaked = place.text("fds").split(separator: "\n").filter { line in !own.contains { line.contains($0) } }
    #expect(leaked.isEmpty && place.text("fds").contains("pipe:"), "\(place.text("fds"))")
  }

  @Test func `secrets are masked wherever they would be shown`() async throws {
    let secrets = ["API_TOKEN": "tok-123456789", "PLAIN": "plain-987654321", "DB_PASSWORD": "pa\"ss\nword-long"]
    let place = try ScenarioWorkspace(settings: "secrets: [PLAIN]\nenv: [PLAIN]\n", environment: secrets)
    let shout = "echo \"stderr $API_TOKEN $PLAIN $DB_PASSWORD\" >&2; printf %s \"$API_TOKEN\" | base64 >&2;"
    try place.pipeline(stages: [("only", shout + " exit 1")], more: "env: [API_TOKEN, DB_PASSWORD]\n")
    try place.script(
      "hooks/before-only.d/10",
      shout + " echo \"{\\\"reason\\\":\\\"because $API_TOKEN\\\",\\\"warnings\\\":[\\\"warned $API_TOKEN\\\"]}\"")
    try place.drop("a.csv")
    let up = try await place.penstock("up", "--once")
    let run = try #require(try await place.runs().first)
    let call = try #require(try await place.hookCalls(run).first)
    let shown = [
      "the console": up.output + up.complaints, "the agent's log": place.text("var/logs/agent.ndjson"),
      "the run's log": place.text("var/runs/\(run.id)/log.ndjson"), "the rows": try place.rows(),
    ]
    let hidden = ["tok-123456789", "plain-987654321", "word-long", Data("tok-123456789".utf8).base64EncodedString()]
    for (place_, text) in shown {
      for secret in hidden { #expect(!text.contains(secret), "\(place_) shows \(secret)") }
    }
    #expect(call.stderrTail.contains("stderr *** ***"))
    #expect(run.state == .failed)
  }

  @Test func `P04 a stage that writes without end fills neither memory nor disk`() async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(stages: [
      ("loud", "yes \"$(printf %01000d 0)\" | head -c 90000000 >&2")
    ])
    let run = try await run(place, code: 0)
    // the agent's own log may begin a new file in the middle of it
    let log = place.bytes("var/runs/\(run.id)/log.ndjson")
    #expect(log.count < 400 << 20)
    let end = String(decoding: log.suffix(4 << 20), as: UTF8.self)
    #expect(end.split(separator: "\n").filter { $0.contains("are not logged") }.count == 1)
  }

  @Test func `a stage that destroys its run's directory fails its own run alone`() async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(stages: [
      (
        "vandal",
        // again while the agent's log makes the directory anew
        """
        cd /; it="$PENSTOCK_HOME/var/runs/$PENSTOCK_RUN"
        until [ -f "$it" ]; do rm -rf "$it"; : > "$it"; done 2> /dev/null
        """
      ), ("next", "exit 0"),
    ])
    try place.pipeline("good", inbox: "*.txt", stages: [("only", "exit 0")])
    try place.drop("a.csv")
    let up = try await place.penstock("up", "--once")
    #expect(up.code == 1, "\(up.output)\(up.complaints)")
    try place.drop("b.txt")
    #expect(try await place.penstock("up", "--once").code == 0)
    let runs = try await place.runs()
    #expect(runs.map(\.state) == [.failed, .done])
    #expect(place.filed("failed") == [runs[0].id.text: ["a.csv"]])
    #expect(try await place.attempts(runs[0]).allSatisfy { $0.state != .running })
  }

  @Test func `P17 a stage that takes its drop away fails, and loses nothing else`() async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(stages: [("thief", "rm -rf \"$PENSTOCK_HOME/var/work/$PENSTOCK_RUN\"")])
    try place.drop("a.csv")
    let up = try await place.penstock("up", "--once")
    #expect(up.code == 1, "\(up.complaints)")
    #expect(place.logged("an ended run's drop cannot be filed yet; trying again").count == 1)
    let run = try #require(try await place.runs().first)
    #expect(run.filed && run.state == .failed && run.failedStage == "thief")
    #expect(run.reason == "stage `thief` failed: the drop was taken out of `var/work/\(run.id)`")
  }

  @Test func `what stands in the way of filing one drop does not keep others from being filed`() async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(stages: [
      (
        "block",
        "case \"$PENSTOCK_RUN\" in *) grep -q block.csv && { mkdir -p \"$PENSTOCK_HOME/var/done/$PENSTOCK_RUN\"; touch \"$PENSTOCK_HOME/var/done/$PENSTOCK_RUN/x\"; }; esac; exit 0"
      )
    ])
    try place.drop("block.csv")
    try place.drop("free.csv")
    #expect(try await place.penstock("up", "--once").code == 0)
    let runs = try await place.runs()
    #expect(runs.map(\.state) == [.done, .done])
    #expect(runs.first { $0.drop?.name.text == "free.csv" }?.filed == true)
    let blocked = try #require(runs.first { !$0.filed })
    #expect(place.text("var/work/\(blocked.id)/block.csv") == "a,b\n1,2\n")
    unlink(place.path("var/done/\(blocked.id)/x"))
    rmdir(place.path("var/done/\(blocked.id)"))
    #expect(try await place.penstock("up", "--once").code == 0)
    #expect(try await place.runs().allSatisfy(\.filed))
    #expect(place.exists("var/done/\(blocked.id)/block.csv"))
  }
}
