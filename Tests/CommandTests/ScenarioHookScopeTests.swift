import Core
import Foundation
import Glibc
import Testing

/// For which stages a hook is called, what is kept of its call, and what is kept of one that broke.
@Suite(.timeLimit(.minutes(3))) struct ScenarioHookScopeTests {
  @Test func `a hook of the pipeline is called for the stages it names`() async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(
      stages: [("clean", "exit 0"), ("train-a", "exit 0"), ("train-b", "exit 0")],
      more: """
        hooks:
          before-stage: [ { run: ["./note.sh"], stages: ["train-*"] } ]
          after-stage: [ { run: ["./note.sh"], stages: [clean, train-b] } ]

        """)
    try place.script("note.sh", "echo \"$PENSTOCK_EVENT $PENSTOCK_STAGE\" >> \"$PENSTOCK_HOME/noted\"")
    try place.drop("a.csv")
    #expect(try await place.penstock("up", "--once").code == 0)
    #expect(
      place.text("noted").split(separator: "\n") == [
        "after-stage clean", "before-stage train-a", "before-stage train-b", "after-stage train-b",
      ])
    let listed = try await ScenarioProgram.hooks(of: place)
    #expect(listed.contains("p (train-*)") && listed.contains("p (clean, train-b)"), "\(listed)")
  }

  @Test func `a scope that is none is an error of check, at its place`() async throws {
    let scene = try Scene([
      "pipelines/p.yaml": """
      pipeline: { name: p }
      stages: [{ name: train, run: ["true"] }]
      hooks:
        before-stage: [ { run: ["true"], stages: [tarin] } ]
        before-run: [ { run: ["true"], stages: [train] } ]

      """
    ])
    let checked = try await scene.ask("check")
    #expect(checked.code == 2)
    #expect(checked.output.contains("p.yaml:4:45: error: no stage is called `tarin`"), "\(checked.output)")
    #expect(checked.output.contains("did you mean `train`?"))
    #expect(
      checked.output.contains(
        "p.yaml:5:34: error: `stages` is for hooks of `before-stage` and `after-stage`, not of `before-run`"))
  }

  @Test func `annotations and warnings are kept with the call and shown`() async throws {
    let place = try ScenarioWorkspace(settings: "env: [API_TOKEN]\n", environment: ["API_TOKEN": "tok-123456789"])
    try place.pipeline(stages: [("train", "exit 0")])
    try place.script(
      "hooks/after-train.d/10",
      "printf '{\"annotations\":{\"ticket\":42,\"by\":{\"who\":\"%s\"}},\"warnings\":[\"disk is %s\"]}' \"$API_TOKEN\" full"
    )
    try place.drop("a.csv")
    #expect(try await place.penstock("up", "--once").code == 0)
    let run = try #require(try await place.runs().first)
    let call = try #require(try await place.hookCalls(run).first)
    #expect(call.annotations == ["ticket": 42, "by": ["who": "***"]] && call.warnings == ["disk is full"])
    let page = try await place.penstock("show", "last").output
    for words in ["what hooks noted", "warning  disk is full", "ticket   42"] {
      #expect(page.contains(words), "\(words): \(page)")
    }
    let told = try JSON(parsing: Data(try await place.penstock("show", "last", "--json").output.utf8))
    let hook = told["stages"]?.array?.first?["hooks"]?.array?.first
    #expect(hook?["annotations"]?["ticket"] == 42 && hook?["warnings"] == ["disk is full"])
  }

  @Test func `P05 a reply that cannot be used is kept beside the run, its beginning at least`() async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(stages: [("train", "printf '{\"status\":\"gr\\377eat\"'; head -c 200000 /dev/zero")])
    try place.script("hooks/after-train.d/10", "echo '{\"decision\":\"perhaps\"}'")
    try place.drop("a.csv")
    #expect(try await place.penstock("up", "--once").code == 1)
    let run = try #require(try await place.runs().first)
    let attempt = try #require(try await place.attempts(run).first)
    #expect(attempt.reason?.hasPrefix("bad reply: ") == true)
    #expect(attempt.reason?.hasSuffix("; it is kept as `train.1.reply`") == true, "\(attempt.reason ?? "")")
    let kept = place.bytes("var/runs/\(run.id)/train.1.reply")
    #expect(kept.count == 64 << 10 && kept.starts(with: Data("{\"status\":\"gr".utf8) + [0xFF]))
    #expect(place.text("var/runs/\(run.id)/after-train.1.reply") == "{\"decision\":\"perhaps\"}\n")
    #expect(try await place.hookCalls(run).first?.reason?.hasSuffix("it is kept as `after-train.1.reply`") == true)
  }

  @Test func `P05 every kind of bad reply fails its stage alone, in words, and is kept`() async throws {
    let place = try ScenarioWorkspace()
    let replies: [(String, String, String)] = [
      ("utf16", "printf '\\377\\376{\\000}\\000'", "is not UTF-8"),
      ("bom", "printf '\\357\\273\\277{}'", "byte order mark"),
      ("cut", "printf '{\"reason\":\"\\303'", "is not UTF-8"),
      ("nan", "echo '{\"metrics\":{\"x\":NaN}}'", "one JSON object"),
      ("twice", "echo '{\"status\":\"ok\",\"status\":\"ok\"}'", "stands twice"),
      ("two", "echo '{}{}'", "one JSON object"),
      ("deep", "head -c 1000000 /dev/zero | tr '\\000' '['", "deep"),
      ("long", "head -c 2000000 /dev/zero | tr '\\000' ' '", "longer than 1 MiB"),
    ]
    try place.pipeline(stages: replies.map { ($0.0, $0.1) })
    try place.write(
      "pipelines/p.yaml", place.text("pipelines/p.yaml").replacing(".sh\"]", with: ".sh\"]\n    on_error: continue"))
    try place.drop("a.csv")
    let up = try await place.penstock("up", "--once")
    #expect(up.code == 0, "\(up.complaints)")
    let run = try #require(try await place.runs().first)
    let attempts = try await place.attempts(run)
    #expect(attempts.count == replies.count)
    for (name, _, words) in replies {
      let attempt = try #require(attempts.first { $0.stage == name })
      #expect(attempt.state == .failed && attempt.error?.code == "configuration.bad-reply", "\(name)")
      let reason = try #require(attempt.reason)
      #expect(reason.hasPrefix("bad reply: ") && reason.contains(words), "\(name): \(reason)")
      let kept = place.bytes("var/runs/\(run.id)/\(name).1.reply")
      #expect(!kept.isEmpty && kept.count <= 64 << 10, "\(name)")
    }
  }

  @Test func `P10 a hook that is changed is another one: each call has the digest of what it ran`() async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(stages: [("train", "exit 0")])
    var digests: Set<String> = []
    for n in 1...2 {
      try place.script("hooks/before-train.d/10", "exit 0 # \(n)")
      try place.drop("\(n).csv")
      #expect(try await place.penstock("up", "--once").code == 0)
      let run = try #require(try await place.runs().last)
      digests.insert(try #require(try await place.hookCalls(run).first?.sha256))
    }
    #expect(digests.count == 2)
    // made open to others while the run waits for its turn: asked of each call, not of the start
    try place.script("hooks/before-train.d/10", "exit 2")
    chmod(place.path("hooks/before-train.d/10"), 0o777)
    try place.drop("3.csv")
    #expect(try await place.penstock("up", "--once").code == 4)
    #expect(try await place.runs().last?.state == .done)
    #expect(!place.logged("hook does not run").isEmpty)
  }

  @Test func `P13 a stage over its limits fails in words, and the next run is well`() async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(
      stages: [("hog", "grep -q hog \"$PENSTOCK_HOME\"/var/work/\"$PENSTOCK_RUN\"/* || exit 0; while :; do :; done")],
      more: "    limits: { cpu_time: 1s }\n")
    try place.drop("a.csv", "hog")
    #expect(try await place.penstock("up", "--once").code == 1)
    #expect(
      try await place.runs().first?.reason
        == "stage `hog` failed: used more processor time than its limit of 1s (`limits.cpu_time`)")
    try place.drop("b.csv", "good")
    #expect(try await place.penstock("up", "--once").code == 0)
  }

  @Test func `P15 a stranger who has the process id of a dead agent is neither waited for nor harmed`() async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(stages: [
      ("slow", "touch \"$PENSTOCK_HOME/began\"; [ -e \"$PENSTOCK_HOME/again\" ] || sleep 300")
    ])
    let agent = try await place.up()
    try place.drop("a.csv")
    try await until("the stage to begin; \(place.tail)") { place.exists("began") }
    agent.signal(SIGKILL)
    _ = try await agent.end()
    let stranger = try ScenarioProgram(["/bin/sleep", "300"], environment: [:], logs: place.path("logs/stranger"))
    // what is remembered of the dead one names the stranger: in the lock, and in the state
    let lock = place.text("var/agent.lock")
    try place.write("var/agent.lock", lock.replacing("\(agent.pid)", with: "\(stranger.pid)"))
    try #require(place.text("var/agent.lock") != lock)
    try place.write("again", "")
    let up = try await place.penstock("up", "--once")
    #expect(up.code == 0, "\(up.complaints)")
    #expect(stranger.isRunning)
    let run = try #require(try await place.runs().first)
    #expect(try await place.attempts(run).map(\.state) == [.interrupted, .ok])
  }
}

extension ScenarioProgram {
  /// What `penstock hooks` lists.
  fileprivate static func hooks(of place: ScenarioWorkspace) async throws -> String {
    try await place.penstock("hooks").output
  }
}
