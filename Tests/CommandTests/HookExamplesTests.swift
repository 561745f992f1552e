import Core
import Foundation
import Testing

/// Each example of `hooks/examples/` at work in the real program.
@Suite(.timeLimit(.minutes(2))) struct HookExamplesTests {
  /// Everything a shell, a JSON text or an option parser could trip over.
  private static let oddName = "-rf $(touch x) 'a\"b\\ \n\u{1b}[31m;é.csv"

  @Test(arguments: HookExamples.names) func `an example says what it does and how to switch it on`(
    name: String
  ) throws {
    let head = try HookExamples.head(of: name)
    #expect(head.what.hasPrefix("# ") && head.what.hasSuffix("."))
    let (target, path) = try HookExamples.link(of: name)
    #expect(target == "../examples/" + name)
    let parts = path.split(separator: "/").map(String.init)
    try #require(parts.count == 3 && parts[0] == "hooks" && parts[1].hasSuffix(".d"))
    let event = String(parts[1].dropLast(2))
    #expect(HookNames.all(stages: ["train", "evaluate", "report"]).contains(event))
    let mode = try FileManager.default.attributesOfItem(atPath: HookExamples.folder + "/" + name)[
      .posixPermissions]
    #expect((mode as? Int).map { $0 & 0o777 } == 0o755)
  }

  @Test func `no hook of the repository is switched on`() throws {
    let hooks = (HookExamples.folder as NSString).deletingLastPathComponent
    let found = try FileManager.default.contentsOfDirectory(atPath: hooks)
    #expect(found.filter { $0.hasSuffix(".d") } == [])
  }

  @Test func `veto-by-size denies what is too large, and nothing else`() async throws {
    let place = try HookExamples.workspace(with: "veto-by-size.py", ["MAX_INPUT_BYTES": "20"])
    try place.pipeline(stages: [("only", "exit 0")])
    #expect(try await place.work("small.csv").state == .done)
    let large = try await place.work(Self.oddName, String(repeating: "x", count: 21))
    #expect(large.state == .failed)
    #expect(
      large.reason
        == "denied: hook `hooks/before-run.d/10-veto-by-size`: the input has 21 bytes, and 20 are allowed (MAX_INPUT_BYTES)"
    )
    #expect(place.filed("failed") == [large.id.text: [Self.oddName]])
    #expect(try await place.attempts(large).isEmpty)
  }

  @Test func `sample-big-files trains on sampled data where there are many rows`() async throws {
    let place = try HookExamples.workspace(
      with: "sample-big-files.py", ["BIG_ROWS": "1000", "BIG_BYTES": "50"])
    try place.pipeline(stages: [
      ("ingest", "printf '{\"context\":{\"tabular.rows\":%d}}' \"$(cat \"$PENSTOCK_HOME/rows\")\""),
      ("train", "exit 0"),
    ])
    try place.write("rows", "1000")
    try await expectTraining(place, "few.csv", "x\n", at: .coarse, because: "the pipeline names no level")
    let hook = "hook `hooks/before-train.d/10-sample`: "
    try await expectTraining(
      place, "bytes.csv", String(repeating: "x", count: 51), at: .medium,
      because: hook + "51 bytes are more than 50")
    try place.write("rows", "1001")
    try await expectTraining(
      place, Self.oddName, "x\n", at: .medium, because: hook + "1,001 rows are more than 1,000")
  }

  private func expectTraining(
    _ place: ScenarioWorkspace, _ name: String, _ text: String, at level: Granularity, because reason: String
  ) async throws {
    let run = try await place.work(name, text)
    #expect(run.state == .done, "\(run.reason ?? "")")
    let training = try #require(try await place.attempts(run).first { $0.stage == "train" })
    #expect(training.granularity.level == level)
    #expect(training.granularity.reason == reason)
    #expect(training.sample == (level == .medium ? 0.2 : nil))
  }

  @Test func `notify writes down every run that ended`() async throws {
    let place = try HookExamples.workspace(with: "notify.sh")
    try place.pipeline(stages: [("only", "grep -q good \"$PENSTOCK_HOME\"/var/work/\"$PENSTOCK_RUN\"/*")])
    _ = try await place.work(Self.oddName, "good")
    _ = try await place.work("b.csv", "bad")
    let told = try place.text("var/notify.ndjson").split(separator: "\n").map {
      try JSON(parsing: Data($0.utf8))
    }
    #expect(told.map { $0["outcome"]?["state"]?.string } == ["done", "failed"])
    #expect(told.map { $0["drop"]?["name"]?.string } == [Self.oddName, "b.csv"])
  }

  @Test func `notify posts to an address that nobody else gets to see`() async throws {
    let server = try ScenarioWorkspace()
    let listener = try ScenarioProgram(
      ["/usr/bin/env", "python3", "-c", Self.listener], environment: ["PATH": "/usr/bin:/bin"],
      logs: server.path("listener"))
    try await until("a port") { listener.text.contains("\n") }
    let port = listener.text.prefix { $0 != "\n" }
    let place = try HookExamples.workspace(
      with: "notify.sh", ["NOTIFY_URL": "http://127.0.0.1:\(port)/hook?token=s3cret-word"])
    try place.pipeline(stages: [("only", "exit 0")])
    let run = try await place.work(Self.oddName)
    #expect(run.state == .done, "\(run.reason ?? "")")
    let posted = try await listener.end().output.split(separator: "\n")
    try #require(posted.count == 4)
    #expect(posted[1] == "/hook?token=s3cret-word")
    #expect(posted[2] == "\(run.id)/after-run")
    #expect(try JSON(parsing: Data(posted[3].utf8))["drop"]?["name"]?.string == Self.oddName)
  }

  private static let listener = """
    import http.server
    class Listener(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode().strip()
            print(self.path, self.headers["Idempotency-Key"], body, sep="\\n", flush=True)
            self.send_response(204)
            self.end_headers()
        def log_message(self, *words): pass
    server = http.server.HTTPServer(("127.0.0.1", 0), Listener)
    print(server.server_address[1], flush=True)
    server.handle_request()
    """

  @Test func `notify fails no run when nobody answers, and says so`() async throws {
    // port 1 of this machine: nobody listens there
    let place = try HookExamples.workspace(with: "notify.sh", ["NOTIFY_URL": "http://127.0.0.1:1/"])
    try place.pipeline(stages: [("only", "exit 0")])
    let run = try await place.work("a.csv")
    #expect(run.state == .done, "\(run.reason ?? "")")
    #expect(try await place.hookCalls(run).map(\.decision) == [.allow])
    #expect(
      place.logged("hook warns").map { $0["warning"]?.string } == [
        "nobody was told of this run: curl ended with 7"
      ])
  }

  @Test func `publish-report puts the page of a report where people look`() async throws {
    let target = try ScenarioWorkspace()
    let place = try HookExamples.workspace(with: "publish-report.sh", ["PUBLISH_DIR": target.path("inbox")])
    try place.pipeline(
      stages: [
        (
          "report",
          "grep -q bad \"$PENSTOCK_HOME\"/var/work/\"$PENSTOCK_RUN\"/* && exit 1\n"
            + "echo \"$PENSTOCK_RUN\" >report.html; echo '{\"outputs\":[{\"name\":\"report\",\"path\":\"report.html\"}]}'"
        )
      ])
    let first = try await place.work(Self.oddName)
    let second = try await place.work("b.csv")
    let failed = try await place.work("c.csv", "bad")
    #expect([first, second, failed].map(\.state) == [.done, .done, .failed])
    #expect(target.names("inbox") == ["p-\(first.id).html", "p-\(second.id).html", "p-latest.html"].sorted())
    #expect(target.text("inbox/p-\(first.id).html") == "\(first.id)\n")
    #expect(target.text("inbox/p-latest.html") == "\(second.id)\n")
    #expect(try await place.hookCalls(failed).map(\.decision) == [.allow])
  }

  @Test func `git-tag tags the runs that are done`() async throws {
    let place = try HookExamples.workspace(with: "git-tag.py")
    try place.pipeline(stages: [("only", "grep -q good \"$PENSTOCK_HOME\"/var/work/\"$PENSTOCK_RUN\"/*")])
    let git = [
      "/usr/bin/env", "git", "-C", place.home, "-c", "user.name=t", "-c", "user.email=t@example.org",
    ]
    for (number, words) in [["init", "-q"], ["add", "pipelines"], ["commit", "-qm", "pipelines"]].enumerated() {
      let done = try ScenarioProgram(
        git + words, environment: ["PATH": "/usr/bin:/bin"], logs: place.path("logs/git-\(number)"))
      try #require(try await done.end().code == 0)
    }
    #expect(try await place.work("a.csv", "good").state == .done)
    #expect(try await place.work("b.csv", "bad").state == .failed)
    let tags = try ScenarioProgram(
      git + ["tag", "-l"], environment: ["PATH": "/usr/bin:/bin"], logs: place.path("logs/git-tags"))
    #expect(try await tags.end().output == "run/p/1\n")
  }

  @Test func `importance-stability compares the features of runs, and warns when they change`() async throws {
    let place = try HookExamples.workspace(with: "importance-stability.py")
    try place.pipeline(stages: [
      (
        "train",
        "cp \"$PENSTOCK_HOME\"/card card.json; echo '{\"outputs\":[{\"name\":\"model_card\",\"path\":\"card.json\"}]}'"
      ),
      ("evaluate", "exit 0"),
      ("see", "cat >seen.json; echo '{\"outputs\":[{\"name\":\"seen\",\"path\":\"seen.json\"}]}'"),
    ])
    func stability(_ drop: String, _ features: [String]) async throws -> JSON? {
      let rows = features.map { "{\"feature\":\"\($0)\",\"importance\":0.25}" }.joined(separator: ",")
      try place.write("card", "{\"importances\":[\(rows),{\"feature\":\"useless\",\"importance\":0}]}")
      let run = try await place.work(drop)
      #expect(run.state == .done)
      return try JSON(parsing: place.bytes("var/runs/\(run.id)/see/seen.json"))["context"]?[
        "importance_stability"]
    }
    #expect(try await stability("1.csv", ["a", "b", "c"]) == nil)
    #expect(try await stability("2.csv", ["a", "b", "c"])?.double == 1)
    #expect(place.logged("hook warns").isEmpty)
    // one of five in common with each of the two before
    #expect(try await stability(Self.oddName, ["c", "x", "y"])?.double == 0.2)
    #expect(
      place.logged("hook warns").map { $0["warning"]?.string } == [
        "feature importances are 0.2 stable over the last 3 runs, and 0.6 is the least: the model looks at other things than before"
      ])
    #expect(place.text("var/importances/p.ndjson").split(separator: "\n").count == 3)
  }

  @Test func `scan quarantines what the scanner names, and lets the rest pass`() async throws {
    let place = try HookExamples.workspace(with: "scan.py", ["SCAN_COMMAND": "python3 -c '\(Self.scanner)'"])
    try place.pipeline(stages: [("only", "exit 0")])
    let bad = try await place.work(Self.oddName, "EVIL\n")
    #expect(bad.state == .quarantined)
    #expect(
      bad.reason
        == "denied: hook `hooks/on-arrival.d/10-scan`: the scan found something: EVIL FOUND")
    #expect(place.filed("quarantine").values.contains { $0.contains(Self.oddName) })
    #expect(try await place.work("good.csv", "fine\n").state == .done)
    #expect(!place.exists("x"))
  }

  private static let scanner = """
    import sys
    if b"EVIL" in open(sys.argv[1], "rb").read(): sys.exit(print("looking\\nEVIL FOUND") or 1)
    """

  @Test(arguments: ["", "/no/such/scanner", "sh -c 'echo out of date; exit 2'"])
  func `scan lets nothing pass that was not scanned`(command: String) async throws {
    let place = try HookExamples.workspace(with: "scan.py", ["SCAN_COMMAND": command])
    try place.pipeline(stages: [("only", "exit 0")])
    let run = try await place.work("a.csv")
    #expect(run.state == .waiting)
    #expect(run.reason?.hasPrefix("hook `hooks/on-arrival.d/10-scan`: not scanned: ") == true)
    #expect(run.resumes.map { $0.timeIntervalSince(run.created) > 290 } == true)
  }

  @Test(arguments: [("-1", RunState.waiting), ("100000", .done)])
  func `defer-when-busy puts a run off while the load is high`(limit: String, state: RunState) async throws {
    let place = try HookExamples.workspace(with: "defer-when-busy.sh", ["MAX_LOAD": limit])
    try place.pipeline(stages: [("train", "exit 0")])
    try place.drop(Self.oddName)
    let agent = try await place.up()
    try await until("the run to be \(state); \(place.tail)") { try await place.runs().first?.state == state }
    let run = try #require(try await place.runs().first)
    if state == .waiting {
      #expect(run.reason?.hasPrefix("hook `hooks/before-train.d/05-busy`: the load is ") == true)
      #expect(run.reason?.hasSuffix(", above -1") == true)
    }
    _ = try await place.stop(agent)
  }

  @Test func `the two hooks of the README do what it says`() async throws {
    let place = try ScenarioWorkspace()
    let readme = try String(
      contentsOfFile: (HookExamples.folder as NSString).deletingLastPathComponent + "/README.md",
      encoding: .utf8)
    for language in ["sh", "python"] {
      let block = try #require(readme.components(separatedBy: "```\(language)\n").dropFirst().first)
      let program = block.components(separatedBy: "```")[0]
      let head = try #require(program.split(separator: "\n").dropFirst().first)
      let path = try #require(head.dropFirst(2).split(separator: ":").first)
      try place.write(String(path), program, mode: 0o755)
    }
    try place.pipeline(stages: [
      ("train", "cat >seen.json; echo '{\"outputs\":[{\"name\":\"seen\",\"path\":\"seen.json\"}]}'"),
      (
        "evaluate",
        "printf '{\"metrics\":{\"accuracy\":%s,\"baseline_accuracy\":0.5}}' \"$(cat \"$PENSTOCK_HOME/accuracy\")\""
      ),
    ])
    try place.write("accuracy", "0.51")
    let good = try await place.work("good.csv")
    #expect(good.state == .done)
    let seen = try JSON(parsing: place.bytes("var/runs/\(good.id)/train/seen.json"))
    #expect(seen["stage"]?["params"] == ["search": 1])
    try place.write("accuracy", "0.5")
    let guessing = try await place.work("guessing.csv")
    #expect(guessing.state == .failed && guessing.failedStage == "evaluate")
    #expect(guessing.reason?.hasSuffix("accuracy 0.500 is no better than guessing") == true)
    try place.write("hold", "")
    try place.drop("held.csv")
    let agent = try await place.up()
    try await until("the run to wait; \(place.tail)") { try await place.runs().last?.state == .waiting }
    #expect(try await place.runs().last?.reason?.hasSuffix("a file `hold` lies in the workspace") == true)
    _ = try await place.stop(agent)
  }
}
