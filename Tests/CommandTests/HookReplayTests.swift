import Core
import Foundation
import TestSupport
import Testing

/// `hooks test` on envelopes of real runs.
@Suite(.timeLimit(.minutes(3))) struct HookReplayTests {
  private func place() async throws -> ScenarioWorkspace {
    let place = try ScenarioWorkspace()
    try place.pipeline(
      stages: [
        ("make", "echo 1 >o; echo '{\"outputs\":[{\"name\":\"o\",\"path\":\"o\"}],\"context\":{\"rows\":7}}'"),
        ("train", "echo '{\"metrics\":{\"accuracy\":0.5}}'"),
      ], more: "    params: { n: 1, gone: true }\n")
    return place
  }

  /// `penstock hooks test …`: the workspace comes after the subcommand.
  private func ask(_ place: ScenarioWorkspace, _ arguments: String...) async throws -> ScenarioProgram.Ended {
    try await ScenarioProgram(
      [try builtProduct("penstock"), "hooks", "test"] + arguments + ["-C", place.home],
      environment: ["PATH": "/usr/bin:/bin", "PENSTOCK_KIT": place.home + "/stages"],
      logs: place.path("logs/tried-\(UUID().uuidString)")
    ).end()
  }

  private func json(_ ended: ScenarioProgram.Ended) throws -> JSON { try JSON(parsing: Data(ended.output.utf8)) }

  @Test func `the envelope a hook got is kept, and the hooks are tried on it without any effect`() async throws {
    let place = try await place()
    try place.script(
      "hooks/before-train.d/10", "cat > \"$PENSTOCK_HOME/seen.json\"; echo '{\"patch\":{\"params\":{\"n\":2}}}'")
    try place.drop("a.csv")
    #expect(try await place.penstock("up", "--once").code == 0)
    let seen = try JSON(parsing: place.bytes("seen.json"))
    try place.script(
      "hooks/before-train.d/10",
      "echo '{\"patch\":{\"params\":{\"n\":3,\"gone\":null}},\"annotations\":{\"who\":\"me\"},\"warnings\":[\"careful\"]}'"
    )
    try place.script(
      "hooks/before-train.d/20",
      "cat > \"$PENSTOCK_HOME/second.json\"; echo \"test $PENSTOCK_TEST\" >&2; echo '{\"decision\":\"skip\",\"reason\":\"enough\"}'"
    )
    try place.script("hooks/before-train.d/30", "touch \"$PENSTOCK_HOME/third\"")
    let before = try place.rows()
    let tried = try await ask(place, "before-train", "--run", "last", "--json")
    #expect(tried.code == 0, "\(tried.complaints)")
    let told = try json(tried)
    #expect(told["source"] == "recorded" && told["decision"] == "skip")
    #expect(told["reason"] == "hook `hooks/before-train.d/20`: enough")
    // all but the moment is what the hook got
    let envelope = try #require(told["envelope"])
    for key in ["run", "drop", "inputs", "context", "stage", "home"] { #expect(envelope[key] == seen[key], "\(key)") }
    let calls = try #require(told["calls"]?.array)
    #expect(calls.map { $0["decision"] } == ["allow", "skip"])
    #expect(calls[0]["patch"] == ["params": ["n": 3, "gone": .null]])
    #expect(calls[0]["annotations"] == ["who": "me"] && calls[0]["warnings"] == ["careful"])
    #expect(told["params"] == ["n": 3])
    let second = try JSON(parsing: place.bytes("second.json"))
    #expect(second["stage"]?["params"] == ["n": 3] && second["event"] == "before-train")
    #expect(tried.complaints.contains("test 1"))
    let after = try place.rows()
    #expect(!place.exists("third") && after == before)
    let page = try await ask(place, "before-train", "--run", "1").output
    #expect(
      page.hasPrefix("on the envelope that a hook of run 1 got\nbefore-train  hooks/before-train.d/10: allow after"))
    #expect(
      page.contains("\n  patch {\"params\":{\"gone\":null,\"n\":3}}\n") && page.contains("\n  warning: careful\n"))
    #expect(page.hasSuffix("together: skip: hook `hooks/before-train.d/20`: enough\n  params  {\"n\":3}\n"))
  }

  @Test func `where no hook was called the envelope is rebuilt from the run`() async throws {
    let place = try await place()
    try place.drop("a.csv")
    #expect(try await place.penstock("up", "--once").code == 0)
    let run = try #require(try await place.runs().first)
    func envelope(_ event: String) async throws -> JSON {
      try json(try await ask(place, event, "--run", "last", "--envelope"))
    }
    let before = try await envelope("before-train")
    #expect(before["event"] == "before-train" && before["run"]?["id"] == .string(run.id.text))
    #expect(before["stage"]?["params"] == ["n": 1, "gone": true] && before["context"] == ["rows": 7])
    #expect(before["inputs"]?.array?.map { $0["path"]?.string } == [place.path("var/runs/\(run.id)/make/o")])
    #expect(before["outcome"] == nil)
    let after = try await envelope("after-train")
    #expect(after["outcome"]?["state"] == "ok" && after["metrics"] == ["accuracy": 0.5])
    let arrival = try await envelope("on-arrival")
    let drop = try #require(arrival["inputs"]?.array?.first?["path"]?.string)
    #expect(drop == place.path("var/done/\(run.id)/a.csv") && FileManager.default.fileExists(atPath: drop))
    #expect(try await envelope("after-run")["outcome"]?["state"] == "done")
    try place.script("deny.sh", "cat > \"$PENSTOCK_HOME/got.json\"; echo no >&2; exit 2")
    let one = try await ask(place, "after-train", "./deny.sh", "--run", "last", "--json")
    #expect(try json(one)["decision"] == "deny")
    #expect(try JSON(parsing: place.bytes("got.json"))["outcome"]?["state"] == "ok")
  }

  @Test func `hooks of a pipeline are tried on a sample of it`() async throws {
    let place = try await place()
    try place.write(
      "pipelines/p.yaml", place.text("pipelines/p.yaml") + "hooks: { before-make: [ { run: [\"./own.sh\"] } ] }\n")
    try place.script("own.sh", "exit 9")
    let tried = try await ask(place, "before-make", "--pipeline", "p", "--json")
    #expect(tried.code == 1)
    let told = try json(tried)
    #expect(told["source"] == "sample" && told["decision"] == "fail" && told["envelope"]?["run"]?["pipeline"] == "p")
    #expect(told["reason"] == "hook `own.sh` failed: exit 9")
    let none = try await ask(place, "after-run", "--pipeline", "p")
    #expect(none.output == "on a sample envelope\nno hook runs at this moment\ntogether: allow\n")
    let unknown = try await ask(place, "after-run", "--pipeline", "q")
    #expect(unknown.code == 2 && unknown.complaints.contains("no pipeline is called `q`"))
    let missing = try await ask(place, "before-tarin", "--pipeline", "p")
    #expect(missing.code == 2 && missing.complaints.contains("`before-train`"))
  }
}
