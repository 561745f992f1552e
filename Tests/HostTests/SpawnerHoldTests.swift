import Core
import Foundation
import Testing

@testable import Host

/// A program is prepared beside the record of it, and begins after it (promise 2).
@Suite(.timeLimit(.minutes(5))) struct SpawnerHoldTests {
  /// A permit, and when its program was handed over to wait for it.
  private struct Pending {
    let permit = Permit()
    let isAwaited = AsyncStream<Void>.makeStream()

    func settle(_ result: Result<Void, any Error>) { permit.settle(result) }

    func hold(_ request: ProgramRequest) -> ProgramRequest {
      request.with {
        $0.permit = permit
        $0.underWay = { [isAwaited] in isAwaited.continuation.finish() }
      }
    }
  }

  private struct Refused: Error {}

  /// Each with a keeper that is idle, and without.
  private func eachWay(_ body: (SpawnerFixture) async throws -> Void) async throws {
    for hasKeeper in [true, false] {
      try await SpawnerFixture.with { fixture in
        if hasKeeper { _ = try await fixture.runner.run(fixture.shell("exit 0")) }
        try await body(fixture)
      }
    }
  }

  @Test func `a program begins when it is permitted`() async throws {
    try await eachWay { fixture in
      let pending = Pending()
      let mark = fixture.path("mark")
      let request = pending.hold(fixture.shell("echo x > mark; echo well"))
      let runner = fixture.runner
      async let result = runner.run(request)
      for await _ in pending.isAwaited.stream {}
      // whatever was sent before has been worked off when another program has come and gone
      _ = try await fixture.runner.run(fixture.shell("exit 0"))
      #expect(!FileManager.default.fileExists(atPath: mark))
      pending.settle(.success(()))
      #expect(try await result.replyText == "well\n")
      #expect(FileManager.default.fileExists(atPath: mark))
    }
  }

  @Test func `a program that is refused never begins, and the refusal is thrown`() async throws {
    try await eachWay { fixture in
      let pending = Pending()
      let request = pending.hold(fixture.shell("echo x > mark"))
      let runner = fixture.runner
      async let result = runner.run(request)
      for await _ in pending.isAwaited.stream {}
      pending.settle(.failure(Refused()))
      do {
        _ = try await result
        Issue.record("it was not refused")
      } catch is Refused {}
      _ = try await fixture.runner.run(fixture.shell("exit 0"))
      #expect(!FileManager.default.fileExists(atPath: fixture.path("mark")))
    }
  }

  @Test func `a program that waits for its permit can be cancelled, and the permit comes too late`() async throws {
    try await eachWay { fixture in
      let pending = Pending()
      let cancellation = Cancellation()
      let request = pending.hold(fixture.shell("echo x > mark")).with { $0.cancellation = cancellation }
      let runner = fixture.runner
      async let result = runner.run(request)
      for await _ in pending.isAwaited.stream {}
      cancellation.cancel(.person)
      #expect(try await result.ending == .cancelled)
      pending.settle(.success(()))
      _ = try await fixture.runner.run(fixture.shell("exit 0"))
      #expect(!FileManager.default.fileExists(atPath: fixture.path("mark")))
    }
  }

  @Test func `the time a program waits for its permit is not its own`() async throws {
    try await SpawnerFixture.with { fixture in
      _ = try await fixture.runner.run(fixture.shell("exit 0"))
      let pending = Pending()
      let request = pending.hold(fixture.shell("exit 0")).with { $0.timeout = .milliseconds(300) }
      let runner = fixture.runner
      async let result = runner.run(request)
      for await _ in pending.isAwaited.stream {}
      // longer than its limit
      _ = try await fixture.runner.run(fixture.shell("sleep 0.5"))
      pending.settle(.success(()))
      let ended = try await result
      #expect(ended.termination == .exited(0))
      #expect(ended.ending == .itself)
      #expect(ended.usage.wall < 0.3)
    }
  }

  @Test func `P14 a program that is held never begins when the agent dies, and leaves no exit record`() async throws {
    let fixture = try SpawnerFixture()
    let agent = try BareAgent()
    try agent.run(fixture.shell("exit 0"), token: 1)
    _ = try agent.outcome()
    let line = try #require(agent.lines.first)
    let held = fixture.shell("echo x > mark").with { $0.exitRecord = fixture.path("record") }
    try agent.run(held, token: 2, .hold, over: line)
    agent.die()
    #expect(agent.waitForSpawner() == 0)
    #expect(!FileManager.default.fileExists(atPath: fixture.path("mark")))
    #expect(!FileManager.default.fileExists(atPath: fixture.path("record")))
  }

  @Test func `a held program whose line is cut never begins`() async throws {
    let fixture = try SpawnerFixture()
    let agent = try BareAgent()
    try agent.run(fixture.shell("exit 0"), token: 1)
    _ = try agent.outcome()
    let line = try #require(agent.lines.first)
    try agent.run(fixture.shell("echo x > mark"), token: 2, .hold, over: line)
    line.close()
    let outcome = try #require(try agent.outcome())
    #expect(outcome.token == 2)
    #expect(outcome.ending == .cancelled)
    #expect(!FileManager.default.fileExists(atPath: fixture.path("mark")))
  }
}
