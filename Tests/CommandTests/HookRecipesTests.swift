import Core
import Foundation
import Testing

/// The recipes of docs/hooks.md that are not in `HookExamplesTests`, each with the real thing it talks to.
@Suite(.timeLimit(.minutes(3))) struct HookRecipesTests {
  private static let oddName = "-rf $(touch x) 'a\"b\\ \n\u{1b}[31m;é.csv"

  /// Where `dvc` lies: on PATH, or where `stages/setup.sh --dvc` puts it.
  private static let dvc: String? = {
    let checkout = URL(fileURLWithPath: HookExamples.folder).deletingLastPathComponent().deletingLastPathComponent()
    let path = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
    return (path + [checkout.path + "/stages/.venv/bin"]).first {
      FileManager.default.isExecutableFile(atPath: $0 + "/dvc")
    }
  }()

  @Test func `the two hooks of docs/hooks.md do what it says`() async throws {
    let docs = URL(fileURLWithPath: HookExamples.folder).deletingLastPathComponent().deletingLastPathComponent()
    let text = try String(contentsOfFile: docs.path + "/docs/hooks.md", encoding: .utf8)
    let place = try ScenarioWorkspace()
    for (language, name) in [("sh", "hooks/before-train.d/10-hold"), ("python", "hooks/before-train.d/20-small")] {
      let block = try #require(text.components(separatedBy: "```\(language)\n").dropFirst().first)
      try place.write(name, block.components(separatedBy: "```")[0], mode: 0o755)
    }
    try place.pipeline(stages: [
      ("count", "echo '{\"context\":{\"tabular.rows\":999}}'"), ("train", "cat > \"$PENSTOCK_HOME/seen.json\""),
    ])
    let run = try await place.work("a.csv")
    #expect(run.state == .done, "\(run.reason ?? "")")
    #expect(try JSON(parsing: place.bytes("seen.json"))["stage"]?["params"] == ["trees": 50])
    #expect(try await place.hookCalls(run).last?.annotations == ["trees": 50])
    try place.write("hold", "")
    let held = try await place.work("b.csv")
    #expect(held.state == .waiting && held.reason?.hasSuffix("a file `hold` lies in the workspace") == true)
  }

  @Test func `cost-cap stops a run that has used too much processor time, and notes what it has used`() async throws {
    let place = try HookExamples.workspace(with: "cost-cap.py", ["MAX_CPU_SECONDS": "0.3"])
    let burn = "i=0; while [ $i -lt 400000 ]; do i=$((i+1)); done"
    try place.pipeline(stages: [
      ("cheap", "exit 0"), ("dear", burn), ("next", "touch \"$PENSTOCK_HOME/next\""),
    ])
    let run = try await place.work(Self.oddName)
    #expect(run.state == .failed && run.failedStage == "next", "\(run.reason ?? "")")
    #expect(run.reason?.contains("s of processor time, and 0.3 are allowed (MAX_CPU_SECONDS)") == true)
    #expect(!place.exists("next"))
    let spent = try await place.hookCalls(run).map { $0.annotations["cpu_s_so_far"]?.double ?? -1 }
    #expect(spent.count == 3 && spent == spent.sorted() && spent[2] > 0.3 && spent[0] == 0)
    let page = try await place.penstock("show", "last").output
    #expect(page.contains("what hooks noted") && page.contains("cpu_s_so_far"))
  }

  @Test func `cost-cap lets a run pass that keeps within it`() async throws {
    let place = try HookExamples.workspace(with: "cost-cap.py")
    try place.pipeline(stages: [("one", "exit 0"), ("two", "exit 0")])
    #expect(try await place.work("a.csv").state == .done)
  }

  @Test func `open-ticket posts one ticket for a run that failed, and keeps its number`() async throws {
    let server = try ScenarioWorkspace()
    let listener = try await HookListener(in: server, reply: "{\"number\":42}")
    let place = try HookExamples.workspace(
      with: "open-ticket.py",
      ["TICKET_URL": "http://127.0.0.1:\(listener.port)/issues", "TICKET_TOKEN": "tok-\"quoted\\-word"])
    try place.pipeline(stages: [
      ("only", "grep -q good \"$PENSTOCK_HOME\"/var/work/\"$PENSTOCK_RUN\"/* || { echo 'no \"good\"' >&2; exit 2; }")
    ])
    #expect(try await place.work("good.csv", "good").state == .done)
    #expect(listener.posts.isEmpty)
    let failed = try await place.work(Self.oddName, "bad")
    #expect(failed.state == .failed)
    try #require(listener.posts.count == 1)
    let post = listener.posts[0]
    #expect(post.path == "/issues" && post.key == "\(failed.id)/after-run")
    #expect(post.authorization == "Bearer tok-\"quoted\\-word")
    let ticket = try JSON(parsing: Data(post.body.utf8))
    #expect(ticket["title"] == "p run 2 failed")
    #expect(ticket["body"]?.string?.contains("stage `only` failed: no \"good\"\n") == true, "\(post.body)")
    #expect(ticket["body"]?.string?.contains("drop: \(Self.oddName)\n") == true)
    #expect(try await place.hookCalls(failed).last?.annotations == ["ticket": 42])
    #expect(!place.text("var/logs/agent.ndjson").contains("quoted"))
  }

  @Test func `open-ticket fails no run when nobody answers, and says so`() async throws {
    let place = try HookExamples.workspace(with: "open-ticket.py", ["TICKET_URL": "http://127.0.0.1:1/"])
    try place.pipeline(stages: [("only", "exit 2")])
    let run = try await place.work("a.csv")
    #expect(run.state == .failed && run.failedStage == "only")
    #expect(try await place.hookCalls(run).last?.warnings == ["no ticket was opened: curl ended with 7"])
  }

  @Test func `scan finds the EICAR test file by grep, and quarantines it`() async throws {
    // in two parts, or a scanner would take this file away
    let eicar = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
    try #require(eicar.utf8.count == 68)
    let scanner =
      "sh -c 'if grep -F -q EICAR-STANDARD-ANTIVIRUS-TEST-FILE -- \"$1\"; then echo \"Eicar-Test FOUND\"; exit 1; fi' scan"
    let place = try HookExamples.workspace(with: "scan.py", ["SCAN_COMMAND": scanner])
    try place.pipeline(stages: [("only", "exit 0")])
    let bad = try await place.work(Self.oddName, eicar)
    #expect(bad.state == .quarantined, "\(bad.reason ?? "")")
    #expect(bad.reason == "denied: hook `hooks/on-arrival.d/10-scan`: the scan found something: Eicar-Test FOUND")
    #expect(place.filed("quarantine")[bad.id.text]?.contains(Self.oddName) == true)
    #expect(try await place.work("good.csv", "a,b\n").state == .done)
  }

  @Test(.enabled(if: dvc != nil, "there is no dvc: stages/setup.sh --dvc installs it"))
  func `dvc-add keeps each input in DVC and its pointer in git`() async throws {
    let dvc = try #require(Self.dvc)
    let path = dvc + ":/usr/bin:/bin"
    let place = try HookExamples.workspace(with: "dvc-add.py", ["PATH": path, "HOME": "/tmp"])
    try place.write(
      "etc/penstock.yaml",
      place.text("etc/penstock.yaml").replacing("env: [HOME, PATH]\n", with: "hook_timeout: 120s\n"))
    try place.pipeline(stages: [("only", "exit 0")])
    var count = 0
    func sh(_ text: String) async throws -> String {
      count += 1
      let program = try ScenarioProgram(
        ["/bin/sh", "-ec", "cd \"$0\"; " + text, place.home],
        environment: ["PATH": path, "HOME": place.home, "DVC_NO_ANALYTICS": "1"], logs: place.path("logs/sh-\(count)"))
      let ended = try await program.end()
      #expect(ended.code == 0, "\(text): \(ended.complaints)")
      return ended.output
    }
    _ = try await sh(
      "git init -q; git config user.name t; git config user.email t@example.org; dvc init -q; git commit -qm begin")
    let first = try await place.work(Self.oddName, "a,b\n1,2\n")
    #expect(first.state == .done, "\(first.reason ?? "")")
    let note = try #require(try await place.hookCalls(first).first?.annotations["dvc"]?.object)
    let pointer = try #require(note.keys.first)
    #expect(note.count == 1 && pointer.hasPrefix("data/p/") && pointer.hasSuffix(".csv.dvc"))
    // the MD5 of the content, by which DVC names it
    #expect(note[pointer] == "e5ebd4c02cefbe7955977c67ada242b7")
    #expect(try await sh("git log --format=%s").hasPrefix("\(pointer.dropLast(4)): input of run 1\n"))
    #expect(try await sh("git status --porcelain -- data").isEmpty)
    // lost and got back from the cache, by the pointer alone
    #expect(
      try await sh("rm -- \"\(pointer.dropLast(4))\"; dvc checkout -q; cat -- \"\(pointer.dropLast(4))\"")
        == "a,b\n1,2\n")
    let again = try await place.work(Self.oddName, "a,b\n1,2\n")
    #expect(again.state == .done, "\(again.reason ?? "")")
    #expect(try await sh("git rev-list --count HEAD") == "2\n")
    _ = try await place.work(Self.oddName, "a,b\n3,4\n")
    #expect(try await sh("git rev-list --count HEAD") == "3\n")
  }
}
