import Core
import Foundation
import Glibc
import Store
import Testing

/// Programs that are at the drop they were only given to read.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ScenarioDropTests {
  private static let drop = "$PENSTOCK_HOME/var/work/$PENSTOCK_RUN/a.csv"

  private func worked(_ program: String, hook: String? = nil) async throws -> (ScenarioWorkspace, Run) {
    let place = try ScenarioWorkspace()
    try place.pipeline(stages: [("first", program), ("next", "exit 0")])
    if let hook { try place.script("hooks/after-run.d/10", hook) }
    try place.drop("a.csv", "a,b\n1,2\n")
    _ = try await place.penstock("up", "--once")
    return (place, try #require(try await place.runs().first))
  }

  @Test(arguments: [
    ("echo more >> \"\(drop)\"", "was changed"), ("printf 'x,b\\n1,2\\n' > \"\(drop)\"", "was changed"),
    ("sed -i s/1/9/ \"\(drop)\"", "was changed"), ("ln -sf /etc/hostname \"\(drop)\"", "has none"),
    ("rm \"\(drop)\"", "was taken out of"),
  ])
  func `P17 a drop that a stage changes, replaces or removes is never filed as done`(program: String, words: String)
    async throws
  {
    let (place, run) = try await worked(program)
    #expect(run.state == .failed && run.failedStage == "first")
    #expect(run.reason?.contains(words) == true, "\(run.reason ?? "")")
    #expect(try await place.attempts(run).map(\.state) == [.failed])
    #expect(place.filed("done").isEmpty)
  }

  @Test func `P17 a hook that changes the drop of a run that went well fails it`() async throws {
    let (place, run) = try await worked("exit 0", hook: "echo more >> \"\(Self.drop)\"")
    #expect(run.state == .failed)
    #expect(run.reason?.contains("was changed: it came with sha256") == true, "\(run.reason ?? "")")
    #expect(place.filed("failed") == [run.id.text: ["a.csv"]])
  }

  @Test(.timeLimit(.minutes(1)))
  func `P17 pipes in the place of what the agent writes beside a run hold up nothing`() async throws {
    let place = try ScenarioWorkspace(settings: "empty: quarantine\n")
    let swap = "rm -f log.ndjson hooks.ndjson; mkfifo log.ndjson hooks.ndjson 1.reply s.1.reply"
    try place.pipeline(stages: [
      ("first", "cd \"$PENSTOCK_HOME/var/runs/$PENSTOCK_RUN\"; \(swap); seq 20000 >&2"), ("next", "echo no JSON"),
    ])
    try place.script("hooks/before-next.d/10", "cat > /dev/null; echo well >&2")
    let agent = try await place.up()
    try place.drop("a.csv")
    let run = try #require(try await place.ended().first)
    #expect(run.state == .failed && run.failedStage == "next" && run.reason?.contains("bad reply") == true)
    let id = RunID("01a00000-0000-7000-8000-000000000001")?.text ?? ""
    for words in [["logs", "1"], ["show", "1"], ["hooks", "test", "before-next", "--run", "1"], ["gc"]] {
      let ended = try await place.start(words).end()
      #expect(ended.code != 70, "\(ended.complaints)")
    }
    try place.drop("b.csv")
    #expect(try await place.ended(2).last?.state == .failed)
    #expect(try await place.stop(agent).code == 0)
    // nor where a note is left beside a drop
    try FileManager.default.createDirectory(atPath: place.path("var/work/\(id)"), withIntermediateDirectories: true)
    try place.write("var/work/\(id)/a.csv", "")
    #expect(mkfifo(place.path("var/work/\(id)/.reason.json.new"), 0o600) == 0)
    #expect(mkfifo(place.path("var/runs/\(id)"), 0o600) == 0)
    _ = try await place.penstock("up", "--once")
    #expect(try await place.runs().last?.state == .quarantined)
  }

  @Test func `P17 a drop that was only touched, or written with the same bytes, is done`() async throws {
    let (place, run) = try await worked("touch \"\(Self.drop)\"; cp \"\(Self.drop)\" x; cat x > \"\(Self.drop)\"")
    #expect(run.state == .done, "\(run.reason ?? "")")
    #expect(place.text("var/done/\(run.id)/a.csv") == "a,b\n1,2\n")
  }

  @Test func `P17 what a stage puts beside its drop is not filed with it`() async throws {
    let (place, run) = try await worked(
      "cd \"$PENSTOCK_HOME/var/work/$PENSTOCK_RUN\"; echo x > extra.csv; mkdir d; echo y > d/z")
    #expect(run.state == .done)
    #expect(place.filed("done") == [run.id.text: ["a.csv"]])
    #expect(place.names("var/runs/\(run.id)/drop.beside") == ["d", "extra.csv"])
    #expect(place.text("var/runs/\(run.id)/drop.beside/d/z") == "y\n")
  }

  @Test func `P17 a drop that is done already may not be changed by a run that reads it again`() async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(stages: [
      (
        "only",
        "[ -e \"$PENSTOCK_HOME/bad\" ] || exit 0; for f in \"$PENSTOCK_HOME\"/var/done/*/a.csv; do echo x >> \"$f\"; done"
      )
    ])
    try place.drop("a.csv")
    #expect(try await place.penstock("up", "--once").code == 0)
    try place.write("bad", "")
    #expect(try await place.penstock("run", "p").code == 1)
    let run = try #require(try await place.runs().last)
    #expect(run.state == .failed && run.reason?.contains("was changed") == true, "\(run.reason ?? "")")
  }

  @Test func `P17 after an interruption the drop's bytes are compared anew`() async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(stages: [
      (
        "first",
        "[ -e \"$PENSTOCK_HOME/again\" ] && exit 0; echo more >> \"\(Self.drop)\"; touch \"$PENSTOCK_HOME/again\"; sleep 100"
      )
    ])
    let agent = try await place.up()
    try place.drop("a.csv")
    try await until("the stage") { place.exists("again") }
    agent.signal(SIGKILL)
    _ = try await agent.end()
    #expect(try await place.penstock("up", "--once").code == 1)
    let run = try #require(try await place.runs().first)
    #expect(run.state == .failed && run.reason?.contains("was changed") == true, "\(run.reason ?? "")")
    #expect(place.filed("done").isEmpty)
  }
}
