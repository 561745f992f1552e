import Core
import Foundation
import Synchronization
import Testing

@testable import Host

/// A program is prepared beside the record of it, and begins after it (promise 2).
@Suite(.timeLimit(.minutes(5))) struct SpawnerHoldTests {
  /// A record that the test says is written, or is not.
  private final class Pending: Permit {
    private let state = Mutex<
      (result: Result<Void, any Error>?, waiters: [@Sendable (Result<Void, any Error>) -> Void])
    >(
      (nil, []))
    /// Somebody waits for it.
    let isAwaited = AsyncStream<Void>.makeStream()

    var isGiven: Bool { state.withLock { $0.result != nil } }

    func whenKnown(_ body: @escaping @Sendable (Result<Void, any Error>) -> Void) {
      state.withLock { $0.waiters.append(body) }
      isAwaited.continuation.yield()
    }

    func settle(_ result: Result<Void, any Error>) {
      let waiters = state.withLock { state in
        state.result = result
        return state.waiters
      }
      for waiter in waiters { waiter(result) }
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
      let request = fixture.shell("echo x > mark; echo well").with { $0.permit = pending }
      let runner = fixture.runner
      async let result = runner.run(request)
      for await _ in pending.isAwaited.stream { break }
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
      let request = fixture.shell("echo x > mark").with { $0.permit = pending }
      let runner = fixture.runner
      async let result = runner.run(request)
      for await _ in pending.isAwaited.stream { break }
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
      let request = fixture.shell("echo x > mark").with {
        $0.permit = pending
        $0.cancellation = cancellation
      }
      let runner = fixture.runner
      async let result = runner.run(request)
      for await _ in pending.isAwaited.stream { break }
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
      let request = fixture.shell("exit 0").with {
        $0.permit = pending
        $0.timeout = .milliseconds(300)
      }
      let runner = fixture.runner
      async let result = runner.run(request)
      for await _ in pending.isAwaited.stream { break }
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
