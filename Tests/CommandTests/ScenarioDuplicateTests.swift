import Core
import Foundation
import Testing

/// The same content twice, and runs that feed themselves: the ids are those of faults.md.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ScenarioDuplicateTests {
  @Test func `I07 the same content again runs, and says whose duplicate it is`() async throws {
    let place = try ScenarioWorkspace.taking()
    let agent = try await place.up()
    for (n, name) in ["a.csv", "b.csv", "c.csv"].enumerated() {
      try place.drop(name, n < 2 ? "same" : "other")
      try await place.ended(n + 1)
    }
    let runs = try await place.runs()
    #expect(runs.map(\.duplicateOf) == [nil, runs[0].id, nil])
    let shown = try await place.penstock("show", "2", "--json")
    #expect(shown.json["duplicate_of"] as? String == runs[0].id.text)
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `I07 with skip each of many equal drops that came at once names the first`() async throws {
    let place = try ScenarioWorkspace.taking("concurrency: 1\n")
    let text = place.text("pipelines/p.yaml").replacing("\"*.csv\" }", with: "\"*.csv\", duplicates: skip }")
    try place.write("pipelines/p.yaml", text)
    for n in 1...20 { try place.drop("\(n).csv", "the same") }
    #expect(try await place.penstock("up", "--once").code == 0)
    let runs = try await place.runs()
    let skipped = runs.filter { $0.reason?.hasPrefix("skipped: ") == true }
    // the second may begin while the end of the first is being recorded
    #expect(runs.count == 20 && skipped.count >= 15)
    for run in skipped {
      let first = try #require(runs.first { $0.id == run.duplicateOf })
      #expect(run.reason == "skipped: the same content as run #\(first.number)")
    }
  }

  @Test(arguments: [1 << 10, 3 << 20])
  func `I07 with skip the same content is filed in done and nothing is run`(bytes: Int) async throws {
    let place = try ScenarioWorkspace.taking()
    let text = place.text("pipelines/p.yaml").replacing("\"*.csv\" }", with: "\"*.csv\", duplicates: skip }")
    try place.write("pipelines/p.yaml", text)
    let agent = try await place.up()
    let content = String(repeating: "x", count: bytes)
    for n in 1...3 {
      try place.drop("\(n).csv", n < 3 ? content : content + "y")
      try await place.ended(n)
    }
    let runs = try await place.runs()
    #expect(runs.map(\.state) == [.done, .done, .done])
    #expect(runs[1].reason == "skipped: the same content as run #1")
    let shown = try await place.penstock("show", "2").output
    #expect(shown.contains("because       skipped: the same content as run #1\n"), "\(shown)")
    #expect(shown.contains("duplicate of  run 1\n") && shown.contains("not begun") && !shown.contains("pending"))
    let why = try await place.penstock("why", "2").output
    #expect(why.contains("not begun") && !why.contains("pending"), "\(why)")
    #expect(try await place.penstock("runs").output.contains("skipped: the same content as run #1\n"))
    var attempts: [Int] = []
    for run in runs { attempts.append(try await place.attempts(run).count) }
    #expect(attempts == [1, 0, 1])
    #expect(place.text("var/done/\(runs[1].id)/2.csv") == content)
    #expect(try await place.stop(agent).code == 0)
  }
}
