import Core
import Foundation
import Testing

/// What a stage leaves in `checkpoint/` is there for its next try.
@Suite(.timeLimit(.minutes(5))) struct ScenarioCheckpointTests {
  /// Counts up by one each try, and fails below three; notes the path it is told.
  private static let counting = """
    grep -o '"checkpoint":"[^"]*"' >> "$PENSTOCK_HOME/told"
    mkdir -p checkpoint
    n=$(( $(cat checkpoint/n 2>/dev/null || echo 0) + 1 )); echo $n > checkpoint/n
    echo $n >> "$PENSTOCK_HOME/counted"
    """

  private static let succeeding = """
    cp checkpoint/n out.txt; printf '{"outputs":[{"name":"data","path":"out.txt"}]}'
    """

  @Test func `a try goes on where the one before failed, and what it went on from is not published`() async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(
      stages: [("count", Self.counting + "\n[ $n -ge 3 ] || exit 1\n" + Self.succeeding)],
      more: "    retry: { attempts: 3, backoff: 10ms }\n")
    try place.drop("a.csv")
    #expect(try await place.penstock("up", "--once").code == 0, "\(place.tail)")
    #expect(place.text("counted") == "1\n2\n3\n")
    let run = try #require(try await place.runs().first)
    #expect(
      place.names("var/runs/\(run.id)/count") == ["out.txt"] && place.text("var/runs/\(run.id)/count/out.txt") == "3\n")
    let told = place.text("told").split(separator: "\n")
    #expect(told.map { $0.hasSuffix("/count.2/checkpoint\"") } == [true, false], "\(told)")
    #expect(
      !place.exists("var/runs/\(run.id)/count.1/checkpoint") && !place.exists("var/runs/\(run.id)/count.2/checkpoint"))
  }

  @Test func `a try goes on where the agent was killed`() async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(
      stages: [
        ("count", Self.counting + "\nwhile [ ! -e \"$PENSTOCK_HOME/go\" ]; do sleep 0.05; done\n" + Self.succeeding)
      ])
    let agent = try await place.up()
    try place.drop("a.csv")
    try await until("the stage to be at work; \(place.tail)") { place.text("counted") == "1\n" }
    agent.signal(SIGKILL)
    _ = try await agent.end()
    try place.write("go", "")
    #expect(try await place.penstock("up", "--once").code == 0, "\(place.tail)")
    #expect(place.text("counted") == "1\n2\n")
  }

  @Test func `the parameters of fallback begin anew, and what they leave is theirs`() async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(
      stages: [("count", Self.counting + "\n[ \"$1\" = simple ] || exit 1\n" + Self.succeeding)])
    let text = place.text("pipelines/p.yaml").replacing(
      "count.sh\"]",
      with:
        "count.sh\", \"${params.model}\"]\n    params: { model: complex }\n    fallback: { params: { model: simple } }\n    retry: { attempts: 2, backoff: 10ms }"
    )
    try place.write("pipelines/p.yaml", text)
    try place.drop("a.csv")
    #expect(try await place.penstock("up", "--once").code == 0, "\(place.tail)")
    #expect(place.text("counted") == "1\n2\n1\n")
  }

  @Test func `an output in checkpoint is refused in words`() async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(
      stages: [
        (
          "s",
          "cat > /dev/null; mkdir checkpoint; echo > checkpoint/x; printf '{\"outputs\":[{\"name\":\"x\",\"path\":\"./checkpoint/x\"}]}'"
        )
      ])
    try place.drop("a.csv")
    #expect(try await place.penstock("up", "--once").code == 1)
    #expect(try await place.runs().first?.reason?.contains("lies in `checkpoint/`, which is for the next try") == true)
  }

  @Test(arguments: [
    "printf x > \"$PENSTOCK_HOME/var/runs/$PENSTOCK_RUN/one/out.txt\"",
    "rm \"$PENSTOCK_HOME/var/runs/$PENSTOCK_RUN/one/out.txt\"",
  ])
  func `P17: an output that is changed after it was published is noticed before the next stage uses it`(
    damage: String
  ) async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(
      stages: [
        (
          "one",
          "cat > /dev/null; printf y > out.txt; printf '{\"outputs\":[{\"name\":\"data\",\"path\":\"out.txt\"}]}'"
        ),
        ("two", "cat > /dev/null; touch \"$PENSTOCK_HOME/used\""),
      ])
    try place.script("hooks/before-two.d/10-damage", "cat > /dev/null; " + damage)
    try place.drop("a.csv")
    #expect(try await place.penstock("up", "--once").code == 1)
    #expect(!place.exists("used"))
    let reason = try #require(try await place.runs().first?.reason)
    #expect(
      reason.hasPrefix("stage `two` failed: the output `data` of stage `one` was ")
        && reason.contains("since it was published"), "\(reason)")
  }
}
