import Core
import Foundation
import TestSupport
import Testing

/// I27: runs whose programs put drops into the inbox themselves.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ScenarioLoopTests {
  private func feeding(_ program: String) throws -> ScenarioWorkspace {
    let place = try ScenarioWorkspace()
    try place.pipeline(stages: [("feed", program)])
    let text = place.text("pipelines/p.yaml").replacing("p-feed.sh\"]", with: "p-feed.sh\", \"${input}\"]")
    try place.write("pipelines/p.yaml", text)
    return place
  }

  /// Follows the loop to its end.
  private func broken(_ place: ScenarioWorkspace) async throws -> [Run] {
    let agent = try await place.up()
    try place.drop("a.csv", "seed")
    try await until("the loop to be broken; \(place.tail)") {
      try await place.runs().contains { $0.state == .quarantined && $0.filed }
    }
    try place.drop("after.csv", "another")
    #expect(try await place.stop(agent).code == 0)
    return try await place.runs()
  }

  @Test func `I27 a stage that puts what it made into the inbox is stopped after eight rounds`() async throws {
    let put = try builtPut()
    let place = try feeding("[ \"$(cat \"$1\")\" = another ] || date +%s%N | \(put) - --as \"$PENSTOCK_RUN.csv\"")
    let runs = try await broken(place)
    let line = runs.filter { $0.parent != nil }
    #expect(line.count == 9 && line.last?.state == .quarantined)
    #expect(line.last?.reason?.contains("feeds its own pipeline") == true)
    for (child, parent) in zip(line, runs) { #expect(child.parent == parent.id) }
    let id = try #require(line.last?.id)
    #expect(place.names("var/quarantine/\(id)").contains("reason.json"))
    #expect(place.names("inbox").allSatisfy { $0 == "after.csv" })
  }

  @Test func `I27 a stage that copies what it made into the inbox is stopped, by the digest alone`() async throws {
    let place = try feeding(
      "[ \"$(cat \"$1\")\" = another ] && exit 0; date +%s%N > out; cp out \"$PENSTOCK_HOME/inbox/.new\"; "
        + "echo '{\"outputs\":[{\"name\":\"o\",\"path\":\"out\"}]}'; "
        + "mv \"$PENSTOCK_HOME/inbox/.new\" \"$PENSTOCK_HOME/inbox/$PENSTOCK_RUN.csv\"")
    let runs = try await broken(place)
    #expect(runs.count < 25, "the loop went on for \(runs.count) rounds")
    #expect(runs.contains { $0.state == .quarantined })
  }

  @Test func `I27 two pipelines that feed each other, faster than what they made is recorded, are stopped`()
    async throws
  {
    let place = try ScenarioWorkspace()
    for (name, from, to) in [("there", "csv", "back"), ("back", "back", "csv")] {
      try place.pipeline(
        name, inbox: "*.\(from)",
        stages: [
          (
            "feed",
            "[ -e \"$PENSTOCK_HOME/enough\" ] && exit 0; date +%s%N > out; cp out \"$PENSTOCK_HOME/inbox/.$$\"; "
              + "mv \"$PENSTOCK_HOME/inbox/.$$\" \"$PENSTOCK_HOME/inbox/$$.\(to)\"; "
              + "echo '{\"outputs\":[{\"name\":\"o\",\"path\":\"out\"}]}'"
          )
        ])
    }
    let agent = try await place.up()
    try place.drop("a.csv", "seed")
    try await until("the loop to be broken; \(place.tail)") {
      let runs = try await place.runs()
      if runs.count > 100 { try place.write("enough", "") }
      return runs.contains { $0.state == .quarantined && $0.filed } || runs.count > 100
    }
    #expect(try await place.stop(agent).code == 0)
    let runs = try await place.runs()
    #expect(runs.count < 25, "the loop went on for \(runs.count) rounds")
    #expect(runs.filter { $0.state == .quarantined }.count == 1)
  }

  @Test func `I27 the same content dropped again and again by people is no loop`() async throws {
    let place = try feeding("cp \"$1\" out; echo '{\"outputs\":[{\"name\":\"o\",\"path\":\"out\"}]}'")
    let agent = try await place.up()
    for n in 1...12 {
      try place.drop("heartbeat.csv", "alive")
      try await place.ended(n)
      // a person is slower than the clock that stamps files
      try await Task.sleep(for: .milliseconds(60))
    }
    let runs = try await place.runs()
    #expect(runs.allSatisfy { $0.state == .done && $0.parent == nil } && runs.last?.duplicateOf == runs.first?.id)
    #expect(try await place.stop(agent).code == 0)
  }

  private func builtPut() throws -> String { "\(try builtProduct("penstock")) put -C \"$PENSTOCK_HOME\"" }
}
