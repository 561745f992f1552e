import Core
import Foundation
import Glibc
import Testing

/// How drops are found, however they got there: the ids are those of faults.md.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ScenarioIntakeTests {
  @Test func `I17 a drop that is taken away while it settles is forgotten`() async throws {
    let place = try ScenarioWorkspace.taking("settle: 300ms\n")
    let agent = try await place.up()
    for n in 0..<20 {
      try place.write("inbox/\(n).csv", "x")
      if n % 2 == 0 { unlink(place.path("inbox/\(n).csv")) }
    }
    try await place.ended(10)
    try await place.passOver(runs: 11)
    #expect(try await place.runs().count == 11)
    #expect(place.names("var/work").isEmpty)
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `I19 17,000 drops that came while the agent was stopped are all found`() async throws {
    let place = try ScenarioWorkspace(settings: "concurrency: 2\n")
    // no pipeline takes them: what is counted is whether they are seen
    let agent = try await place.up()
    try place.drop("first.csv")
    try await place.waitForLog("no pipeline takes this drop; it stays in the inbox")
    agent.signal(SIGSTOP)
    for n in 0..<17_000 {
      close(open(place.path("inbox/\(n).csv"), O_WRONLY | O_CREAT | O_CLOEXEC, 0o644))
    }
    agent.signal(SIGCONT)
    try await until(within: .seconds(50), "17,001 unmatched drops; \(place.tail)") {
      place.bytes("var/logs/agent.ndjson").split(separator: 0x0A).count {
        $0.firstRange(of: Data("it stays in the inbox".utf8)) != nil
      } >= 17_001
    }
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `drops that lay there before the start are found`() async throws {
    let place = try ScenarioWorkspace.taking()
    for n in 0..<5 { try place.write("inbox/\(n).csv", "x") }
    #expect(try await place.penstock("up", "--once").code == 0)
    #expect(try await place.runs().count == 5)
  }
}
