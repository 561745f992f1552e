import Core
import Foundation
import Glibc
import Store
import Testing

/// Fan-out that is cut short: nothing that is committed is done twice.
@Suite(.timeLimit(.minutes(3))) struct ScenarioItemEndTests {
  private func place(_ program: String, each: String, second: String? = nil) throws -> ScenarioWorkspace {
    let place = try ScenarioWorkspace(settings: "drain: 10m\n")
    var text = "pipeline: { name: p }\ntrigger: { inbox: \"*.jsonl\" }\nstages:\n"
    try place.script("one.sh", program)
    text += "  - { name: one, run: [\"./one.sh\"], each: \(each) }\n"
    if let second {
      try place.script("two.sh", second)
      text += "  - { name: two, run: [\"./two.sh\"], each: {} }\n"
    }
    try place.write("pipelines/p.yaml", text)
    return place
  }

  private func items(_ count: Int) -> String { (0..<count).map { "{\"id\":\"q\($0)\",\"n\":\($0)}\n" }.joined() }

  private static func effect(_ more: String = "") -> String {
    "cat >/dev/null; echo \"$PENSTOCK_ITEM\" >> \"$PENSTOCK_HOME/$PENSTOCK_STAGE.calls\"\n" + more
  }

  private func calls(_ place: ScenarioWorkspace, _ stage: String = "one") -> [String] {
    place.text(stage + ".calls").split(separator: "\n").map(String.init)
  }

  @Test func `an agent killed half way goes on with the items that are left`() async throws {
    let count = 500
    // a test that is slow to look finds it at 60 %, never at its end
    let place = try place(
      Self.effect(
        "[ \"${PENSTOCK_ITEM#q}\" -lt 300 ] || while [ ! -e \"$PENSTOCK_HOME/go\" ]; do sleep 0.02; done; exec sleep 0.02"
      ),
      each: "{ from: input, concurrency: 2 }", second: Self.effect())
    try place.drop("a.jsonl", items(count))
    let agent = try await place.up()
    try await until("half of the items; \(place.tail)") { calls(place).count >= count / 2 }
    agent.signal(SIGKILL)
    _ = try await agent.end()
    try place.write("go", "")
    _ = try await place.penstock("up", "--once")
    let run = try #require(try await place.runs().first)
    #expect(run.state == .done, "\(run.reason ?? "")")
    for stage in ["one", "two"] {
      let calls = calls(place, stage)
      #expect(Set(calls).count == count)
      #expect(Double(calls.count) <= 1.02 * Double(count), "\(stage): \(calls.count) calls for \(count) items")
    }
    #expect(
      try await place.attempts(run).map { "\($0.stage) \($0.n) \($0.state)" }.sorted() == [
        "one 1 interrupted", "one 2 ok", "two 1 interrupted", "two 2 ok",
      ])
    let lines = place.text("var/runs/\(run.id.text)/two/items.jsonl").split(separator: "\n")
    #expect(lines.count == count && lines.last?.contains("q\(count - 1)\"") == true)
  }

  @Test func `an agent that is stopped lets the calls at work end, begins none, and goes on later`() async throws {
    let place = try place(
      Self.effect("while [ ! -e \"$PENSTOCK_HOME/go\" ]; do sleep 0.02; done"),
      each: "{ from: input, concurrency: 3 }")
    try place.drop("a.jsonl", items(200))
    let agent = try await place.up()
    try await until("three calls; \(place.tail)") { calls(place).count == 3 }
    agent.signal(SIGTERM)
    try await place.waitForLog("agent is stopping")
    try place.write("go", "")
    #expect(try await agent.end().code == 0)
    #expect(calls(place).count == 3)
    let stopped = try #require(try await place.runs().first)
    #expect(stopped.state == .waiting)
    #expect(try await place.reader { try await $0.itemProgress(of: stopped.id) }["one"]?.ok == 3)
    _ = try await place.penstock("up", "--once")
    #expect(try await place.runs().first?.state == .done)
    #expect(calls(place).count == 200 && Set(calls(place)).count == 200)
  }

  @Test func `a run that is cancelled ends the calls at work and keeps what was done`() async throws {
    let place = try place(
      Self.effect("[ \"$PENSTOCK_ITEM\" = q0 ] || exec sleep 300"), each: "{ from: input, concurrency: 2 }")
    try place.drop("a.jsonl", items(50))
    let agent = try await place.up()
    try await until("three calls; \(place.tail)") { calls(place).count == 3 }
    try await until("the first item to be recorded") {
      try await progress(place)?.ok == 1
    }
    #expect(try await place.penstock("cancel", "1").code == 0)
    let run = try #require(try await place.ended().first)
    #expect(run.state == .cancelled)
    #expect(calls(place).count == 3)
    #expect(try await place.attempts(run).map(\.state) == [.cancelled])
    let shown = try await place.penstock("show", "1").output
    #expect(shown.contains("1/50 items"), "\(shown)")
    _ = try await place.stop(agent)
  }

  private func progress(_ place: ScenarioWorkspace) async throws -> ItemProgress? {
    guard let run = try await place.runs().first else { return nil }
    return try await place.reader { try await $0.itemProgress(of: run.id) }["one"]
  }

  @Test func `another attempt of the stage calls only for what failed`() async throws {
    // each of the two fails the first time
    let place = try place(
      Self.effect(
        "case $PENSTOCK_ITEM in q3|q7) mkdir \"$PENSTOCK_HOME/$PENSTOCK_ITEM\" 2>/dev/null && exit 1;; esac; exit 0"),
      each: "{ from: input }", second: Self.effect())
    try place.write(
      "pipelines/p.yaml",
      place.text("pipelines/p.yaml").replacingOccurrences(
        of: "each: { from: input }", with: "retry: { attempts: 2, backoff: 100ms }, each: { from: input }"))
    try place.drop("a.jsonl", items(20))
    _ = try await place.penstock("up", "--once")
    let run = try #require(try await place.runs().first)
    #expect(run.state == .done, "\(run.reason ?? "")")
    #expect(calls(place).count == 22 && calls(place, "two").count == 20)
    #expect(Set(calls(place).suffix(2)) == ["q3", "q7"])
    #expect(try await place.attempts(run).filter { $0.stage == "one" }.map(\.state) == [.failed, .ok])
  }

  @Test func `status tells how far the items have come`() async throws {
    let place = try place(
      Self.effect(
        "[ $PENSTOCK_ITEM = q0 ] && exit 1; [ $PENSTOCK_ITEM = q1 ] || while [ ! -e \"$PENSTOCK_HOME/go\" ]; do sleep 0.02; done"
      ),
      each: "{ from: input, concurrency: 2, min_success: 50% }")
    try place.drop("a.jsonl", items(10))
    let agent = try await place.up()
    try await until("two items to be recorded; \(place.tail)") { try await progress(place)?.done == 2 }
    let status = try await place.penstock("status").output
    #expect(status.contains("one 2/10 items, 1 failed"), "\(status)")
    let json = try await place.penstock("status", "--json").json
    let running = try #require((json["running"] as? [[String: Any]])?.first)
    #expect(((running["items"] as? [[String: Any]])?.first?["done"] as? Int) == 2)
    #expect(running["eta_s"] as? Double != nil)
    try place.write("go", "")
    #expect(try await place.ended().first?.state == .done)
    _ = try await place.stop(agent)
  }

  @Test func `rerun with --failed-only calls for the items that failed, and for nothing else`() async throws {
    let place = try place(
      Self.effect("[ -e \"$PENSTOCK_HOME/mended\" ] || case $PENSTOCK_ITEM in q3|q7) exit 1;; esac"),
      each: "{ from: input }", second: Self.effect())
    try place.drop("a.jsonl", items(20))
    _ = try await place.penstock("up", "--once")
    #expect(try await place.runs().map(\.state) == [.failed])
    #expect(calls(place).count == 20 && calls(place, "two").count == 18)
    try place.write("mended", "")
    let agent = try await place.up()
    let rerun = try await place.penstock("rerun", "1", "--failed-only")
    #expect(rerun.code == 0, "\(rerun.output) \(rerun.complaints)")
    let run = try #require(try await place.ended(2).last)
    #expect(run.state == .done, "\(run.reason ?? "") \(place.tail)")
    #expect(Set(calls(place).dropFirst(20)) == ["q3", "q7"] && calls(place).count == 22)
    #expect(Set(calls(place, "two").dropFirst(18)) == ["q3", "q7"] && calls(place, "two").count == 20)
    let lines = place.text("var/runs/\(run.id.text)/two/items.jsonl").split(separator: "\n")
    #expect(lines.count == 20 && lines[3].contains("\"q3\""))
    _ = try await place.stop(agent)
  }

  @Test func `rerun --from a stage takes the items of those before it and calls for all of its own`() async throws {
    let place = try place(Self.effect(), each: "{ from: input }", second: Self.effect())
    try place.drop("a.jsonl", items(12))
    _ = try await place.penstock("up", "--once")
    let agent = try await place.up()
    #expect(try await place.penstock("rerun", "1", "--from", "two").code == 0)
    let run = try #require(try await place.ended(2).last)
    #expect(run.state == .done, "\(run.reason ?? "") \(place.tail)")
    #expect(calls(place).count == 12 && calls(place, "two").count == 24)
    #expect(try await place.attempts(run).map { "\($0.stage) \($0.state)" }.sorted() == ["one cached", "two ok"])
    _ = try await place.stop(agent)
  }
}
