import CSystem
import Core
import Foundation
import Glibc
import Testing

@testable import Host

/// One keeper watches over many programs, one after the other.
@Suite struct SpawnerReuseTests {
  private func lines(_ fixture: SpawnerFixture, _ script: String) async throws -> [String] {
    let result = try await fixture.runner.run(fixture.shell(script))
    #expect(result.termination == .exited(0), "\(result.termination)")
    return result.replyText.split(separator: "\n").map(String.init)
  }

  @Test(.timeLimit(.minutes(5))) func `figures of a program are not those of the next`() async throws {
    try await SpawnerFixture.with { fixture in
      let large = "dd if=/dev/zero of=/dev/null bs=64M count=8 2>/dev/null; echo $PPID"
      // A keeper is free a moment after its program's end, and one that waits long goes: which is next is a matter of luck.
      for attempt in 0... {
        try #require(attempt < 100, "no keeper is used again")
        let one = try await fixture.runner.run(fixture.shell(large))
        #expect(try #require(one.usage.peakRSS) > 64 << 20)
        let next = try await fixture.runner.run(fixture.shell("echo $PPID"))
        #expect(try #require(next.usage.peakRSS) < 5 << 20)
        #expect(next.usage.cpu < one.usage.cpu)
        if next.replyText == one.replyText { break }
      }
    }
  }

  @Test(
    .timeLimit(.minutes(5)),
    arguments: [
      "renice -n 5 -p $PPID", "prlimit --pid $PPID --nofile=64", "taskset -p 1 $PPID", "ionice -c 3 -p $PPID",
      "echo 500 > /proc/$PPID/oom_score_adj",
    ])
  func `what a program makes of its keeper is nothing to the next`(change: String) async throws {
    let shown = "nice; ulimit -n; taskset -p $$ | cut -d: -f2; ionice -p $$; cat /proc/self/oom_score_adj"
    try await SpawnerFixture.with { fixture in
      let before = try await lines(fixture, shown)
      for _ in 0..<5 {
        _ = try await lines(fixture, "\(change) >/dev/null")
        #expect(try await lines(fixture, shown) == before)
      }
    }
  }

  @Test(.timeLimit(.minutes(5))) func `a keeper that lacks something is not used again`() async throws {
    try await SpawnerFixture.with { fixture in
      let keeper = try #require(Int32(try await lines(fixture, "echo $PPID")[0]))
      // it has seven, and the next program comes with four; one that is gone meanwhile is not used again either
      if descriptor_limit_set(keeper, 7) != 0 { try #require(errno == ESRCH) }
      var failures = 0
      for _ in 0..<5 {
        if try await fixture.runner.run(fixture.program("/bin/true")).termination != .exited(0) { failures += 1 }
      }
      #expect(failures <= 1)
    }
  }

  @Test(.timeLimit(.minutes(5))) func `an idle keeper takes its next program from the agent, without the spawner`()
    async throws
  {
    let fixture = try SpawnerFixture()
    let agent = try BareAgent()
    try agent.run(fixture.shell("exit 0"), token: 1)
    _ = try agent.outcome()
    let line = try #require(agent.lines.first)
    // a spawner that stands still does not matter to it
    agent.signal(SIGSTOP)
    try agent.run(fixture.shell("exit 3"), token: 2, over: line)
    let outcome = try #require(try agent.outcome())
    #expect(outcome.token == 2)
    #expect(outcome.termination == .success(.exited(3)))
    agent.signal(SIGCONT)
  }

  @Test(.timeLimit(.minutes(5))) func `a keeper ends when its line does, and the agent hears of it`() async throws {
    let fixture = try SpawnerFixture()
    let agent = try BareAgent()
    try agent.run(fixture.shell("exit 0"), token: 1)
    guard case .keeper(let serial, token: 1) = try agent.word() else {
      Issue.record("no keeper was told of first")
      return
    }
    guard case .result(_, idle: serial) = try agent.word() else {
      Issue.record("the keeper is not idle after its program")
      return
    }
    agent.lines[0].close()
    #expect(try agent.word() == .gone(serial: serial, signal: 0))
  }

  @Test(.timeLimit(.minutes(5))) func `a keeper that is killed at work is told of, and none takes over its program`()
    async throws
  {
    let fixture = try SpawnerFixture()
    let agent = try BareAgent()
    try agent.run(fixture.shell("kill -9 $PPID; sleep 1000"), token: 1)
    guard case .keeper(let serial, token: 1) = try agent.word() else {
      Issue.record("no keeper was told of first")
      return
    }
    #expect(try agent.word() == .gone(serial: serial, signal: SIGKILL))
  }
}
