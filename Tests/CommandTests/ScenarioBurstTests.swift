import Core
import Foundation
import Glibc
import Testing

/// Many drops with programs that take less time than a commit: attempts are recorded ahead of their places.
@Suite struct ScenarioBurstTests {
  /// Each program counts how many are at work with it, and notes that it ran.
  private let stage = """
    mkdir -p "$PENSTOCK_HOME/at-work/$$"
    ls "$PENSTOCK_HOME/at-work" | wc -l >> "$PENSTOCK_HOME/counts"
    echo "$PENSTOCK_RUN $PENSTOCK_ATTEMPT" >> "$PENSTOCK_HOME/effects"
    rmdir "$PENSTOCK_HOME/at-work/$$"
    """

  private func place() throws -> ScenarioWorkspace {
    let place = try ScenarioWorkspace(settings: "concurrency: 2\n")
    try place.pipeline(stages: [("only", stage)])
    return place
  }

  @Test(.timeLimit(.minutes(3)))
  func `in a burst no more programs run at a time than there are places, and each runs once`() async throws {
    let place = try place()
    for n in 0..<150 { try place.drop("\(n).csv", "\(n)\n") }
    #expect(try await place.penstock("up", "--once").code == 0)
    let counts = place.text("counts").split(separator: "\n").compactMap { Int($0.trimmingCharacters(in: .whitespaces)) }
    #expect(counts.count == 150 && counts.allSatisfy { $0 <= 2 }, "at most \(counts.max() ?? 0) at a time")
    let effects = place.text("effects").split(separator: "\n")
    #expect(effects.count == 150 && Set(effects).count == 150)
    let runs = try await place.runs()
    #expect(runs.count == 150 && runs.allSatisfy { $0.state == .done && $0.filed })
    #expect(place.filed("done").count == 150)
  }

  @Test(.timeLimit(.minutes(3)))
  func `P14 kill -9 in a burst: every execution has its attempt, and what never began is no loss`() async throws {
    let place = try place()
    for n in 0..<200 { try place.drop("\(n).csv", "\(n)\n") }
    let agent = try await place.up()
    try await until("some runs to end; \(place.tail)") {
      place.text("effects").split(separator: "\n").count >= 60
    }
    agent.signal(SIGKILL)
    _ = try await agent.end()
    #expect(try await place.penstock("up", "--once").code == 0)
    let runs = try await place.runs()
    #expect(runs.count == 200 && runs.allSatisfy { $0.state == .done && $0.filed })
    let effects = place.text("effects").split(separator: "\n").map(String.init)
    #expect(Set(effects).count == effects.count, "an attempt ran twice")
    var recorded: Set<String> = []
    for run in runs { for attempt in try await place.attempts(run) { recorded.insert("\(run.id) \(attempt.n)") } }
    #expect(recorded.isSuperset(of: effects), "an execution without its attempt")
  }

  @Test(.timeLimit(.minutes(3)))
  func `an agent that is stopped in a burst leaves nothing as running`() async throws {
    let place = try place()
    for n in 0..<200 { try place.drop("\(n).csv", "\(n)\n") }
    let agent = try await place.up()
    try await until("some runs to end; \(place.tail)") {
      place.text("effects").split(separator: "\n").count >= 60
    }
    #expect(try await place.stop(agent).code == 0)
    let states = Set(try await place.runs().map(\.state))
    #expect(states.isSubset(of: [.done, .queued, .waiting]), "\(states)")
    #expect(try await place.penstock("up", "--once").code == 0)
    let runs = try await place.runs()
    #expect(runs.count == 200 && runs.allSatisfy { $0.state == .done && $0.filed })
    #expect(place.text("effects").split(separator: "\n").count == 200)
  }
}
