import Core
import Foundation
import Testing

/// Hooks that call `penstock` themselves: nothing waits for itself.
@Suite(.timeLimit(.minutes(3))) struct ScenarioHookCallTests {
  @Test func `a hook asks for the status, the runs and its own run, while it runs`() async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(stages: [("one", "exit 0")])
    try place.script(
      "hooks/before-one.d/10",
      """
      penstock status --json > "$PENSTOCK_HOME/status.json"
      penstock runs --json > "$PENSTOCK_HOME/runs.json" && penstock show "$PENSTOCK_RUN" --json > "$PENSTOCK_HOME/own.json"
      """)
    try place.drop("a.csv")
    let up = try await place.penstock("up", "--once")
    #expect(up.code == 0, "\(up.output)\(up.complaints)")
    let run = try #require(try await place.runs().first)
    let own = try JSON(parsing: place.bytes("own.json"))
    #expect(own["id"] == .string(run.id.text) && own["state"] == "running")
    #expect(own["stages"]?.array?.first?["state"] == "running")
    #expect(try JSON(parsing: place.bytes("runs.json"))["runs"]?.array?.count == 1)
    #expect(try JSON(parsing: place.bytes("status.json"))["running"]?.array?.count == 1)
  }

  @Test func `a hook that cancels its own run is ended with it, and the stage never runs`() async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(stages: [("one", "touch \"$PENSTOCK_HOME/ran\"")])
    try place.script("hooks/before-one.d/10", "penstock cancel \"$PENSTOCK_RUN\"; touch \"$PENSTOCK_HOME/went-on\"")
    try place.script("hooks/after-run.d/10", "cat > \"$PENSTOCK_HOME/told.json\"")
    let agent = try await place.up()
    try place.drop("a.csv")
    let run = try #require(try await place.ended().first)
    #expect(run.state == .cancelled, "\(run.reason ?? "")")
    #expect(!place.exists("ran") && !place.exists("went-on"))
    #expect(try JSON(parsing: place.bytes("told.json"))["outcome"]?["state"] == "cancelled")
    #expect(place.filed("failed") == [run.id.text: ["a.csv"]])
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `a hook runs another pipeline and waits for it, although there is one place`() async throws {
    let place = try ScenarioWorkspace(settings: "concurrency: 1\nhook_timeout: 100s\n")
    try place.pipeline(stages: [("one", "exit 0")])
    try place.pipeline("other", inbox: "*.txt", stages: [("two", "touch \"$PENSTOCK_HOME/other-ran\"")])
    try place.write("input.txt", "x")
    try place.script(
      "hooks/before-run.d/10",
      """
      [ "$PENSTOCK_PIPELINE" = p ] || exit 0
      penstock run other --input "$PENSTOCK_HOME/input.txt" --wait >&2 && [ -e "$PENSTOCK_HOME/other-ran" ]
      """)
    let agent = try await place.up()
    try place.drop("a.csv")
    let runs = try await place.ended(2)
    #expect(runs.map(\.pipeline) == ["p", "other"] && runs.map(\.state) == [.done, .done], "\(place.tail)")
    // the place is one again: two drops, one after the other
    try place.script("hooks/before-run.d/10", "exit 0")
    try place.script(
      "stages/p-one.sh",
      "mkdir \"$PENSTOCK_HOME/alone\" || exit 2; sleep 0.2; rmdir \"$PENSTOCK_HOME/alone\"")
    try place.drop("b.csv")
    try place.drop("c.csv")
    #expect(try await place.ended(4).suffix(2).map(\.state) == [.done, .done])
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `what a hook puts into the inbox becomes a run of its own, which knows who put it there`() async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(stages: [("one", "exit 0")])
    try place.pipeline("other", inbox: "*.txt", stages: [("two", "exit 0")])
    try place.script(
      "hooks/after-one.d/10", "[ \"$PENSTOCK_PIPELINE\" = p ] || exit 0; echo x > n.txt; penstock put n.txt")
    try place.drop("a.csv")
    let agent = try await place.up()
    let runs = try await place.ended(2)
    #expect(runs.map(\.pipeline) == ["p", "other"] && runs.map(\.state) == [.done, .done], "\(place.tail)")
    #expect(runs[1].parent == runs[0].id)
    #expect(try await place.stop(agent).code == 0)
  }
}
