import Core
import Foundation
import Glibc
import Testing

/// Drops that wait for a file which says that they are whole.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ScenarioDoneFileTests {
  private func taking(_ rule: String, _ settings: String = "") throws -> ScenarioWorkspace {
    let place = try ScenarioWorkspace.taking(settings)
    let text = place.text("pipelines/p.yaml").replacing("\"*.csv\" }", with: "\"*.csv\", done_file: \"\(rule)\" }")
    try place.write("pipelines/p.yaml", text)
    return place
  }

  @Test(arguments: [("${name}.ok", "a.csv.ok"), ("${stem}.done", "a.done"), ("done-${name}", "done-a.csv")])
  func `a drop waits for its done file, and takes it along`(rule: String, name: String) async throws {
    let place = try taking(rule)
    let agent = try await place.up()
    try place.write("inbox/a.csv", "half")
    try await until("the drop to wait; \(place.tail)") {
      let drops = try await place.penstock("inbox", "--json").json["drops"] as? [[String: Any]] ?? []
      return drops.contains { $0["reason"] as? String == "waiting for its done file `\(name)`" }
    }
    try place.write("inbox/a.csv", "half whole")
    _ = place.create(name)
    let run = try #require(try await place.ended(1).first)
    #expect(run.state == .done && place.text("var/done/\(run.id)/a.csv") == "half whole")
    #expect(place.names("inbox").isEmpty && place.names("var/done/\(run.id)") == ["a.csv"])
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `up --once does not wait for a done file, and finds both the next time`() async throws {
    let place = try taking("${name}.ok")
    try place.write("inbox/a.csv", "x")
    try place.write("inbox/b.csv", "x")
    try place.write("inbox/b.csv.ok", "")
    #expect(try await place.penstock("up", "--once").code == 0)
    #expect(try await place.runs().map { $0.drop?.name } == [FileName("b.csv")])
    #expect(place.names("inbox") == ["a.csv"])
  }

  @Test func `a done file alone is no drop, and says so`() async throws {
    let place = try taking("${name}.ok")
    try place.pipeline("all", inbox: "*", stages: [("only", "exit 0")])
    try place.write("inbox/a.csv.ok", "")
    #expect(try await place.penstock("up", "--once").code == 0)
    #expect(try await place.runs().isEmpty && place.names("inbox") == ["a.csv.ok"])
    #expect(try await place.penstock("inbox").output.contains("says that a drop is whole"))
  }

  @Test func `a directory is no done file, and is told of`() async throws {
    let place = try taking("${name}.ok")
    #expect(mkdir(place.path("inbox/a.csv.ok"), 0o755) == 0)
    try place.write("inbox/a.csv", "half")
    let agent = try await place.up()
    try await place.waitForHold("a.csv.ok", "is a directory")
    try await until("the drop to wait; \(place.tail)") {
      let drops = try await place.penstock("inbox", "--json").json["drops"] as? [[String: Any]] ?? []
      return drops.contains { $0["reason"] as? String == "waiting for its done file `a.csv.ok`" }
    }
    #expect(rmdir(place.path("inbox/a.csv.ok")) == 0)
    _ = place.create("a.csv.ok")
    let run = try #require(try await place.ended(1).first)
    #expect(run.drop?.name == FileName("a.csv") && place.names("inbox").isEmpty)
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `a crash between the claim and the end of the done file leaves none for the next drop`() async throws {
    let place = try taking("${name}.ok")
    #expect(try await place.penstock("up", "--once").code == 0)
    let id = "01a00000-0000-7000-8000-000000000001"
    try place.write("var/work/\(id)/a.csv", "claimed")
    try place.write("inbox/a.csv.ok", "")
    #expect(try await place.penstock("up", "--once").code == 0)
    #expect(try await place.runs().map(\.state) == [.done] && place.names("inbox").isEmpty)
  }

  @Test func `a done file belongs to the drop that lies there, not to the one a crash left in work`() async throws {
    let place = try taking("${name}.ok")
    #expect(try await place.penstock("up", "--once").code == 0)
    try place.write("var/work/01a00000-0000-7000-8000-000000000001/a.csv", "first")
    try place.write("inbox/a.csv", "second")
    try place.write("inbox/a.csv.ok", "")
    #expect(try await place.penstock("up", "--once").code == 0)
    let runs = try await place.runs()
    #expect(Set(runs.map { place.text("var/done/\($0.id)/a.csv") }) == ["first", "second"])
    #expect(place.names("inbox").isEmpty)
  }

  @Test func `check says what is wrong with a done file, and where its words may stand`() async throws {
    let place = try taking("done.ok")
    let bare = try await place.penstock("check")
    #expect(bare.code == 2 && (bare.output + bare.complaints).contains("write `${name}` or `${stem}` once"))
    try place.write(
      "pipelines/p.yaml",
      "pipeline: { name: p }\ntrigger: { inbox: \"*.csv\" }\nstages: [{ name: s, run: [\"true\", \"${name}\"] }]\n")
    let misplaced = try await place.penstock("check")
    #expect((misplaced.output + misplaced.complaints).contains("`${name}` is known only in `trigger.done_file`"))
  }
}
