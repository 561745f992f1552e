import Core
import Foundation
import Glibc
import Host
import TestSupport
import Testing

/// Each runs in a process of its own, whose memory and descriptors are counted.
///
/// One at a time: while such a process lives, Swift Testing blocks a thread of the pool that all tests share.
@Suite(.serialized) struct SpawnerLoadTests {
  @Test(.timeLimit(.minutes(5))) func `P04 1 GiB on stdout and 1 GiB on stderr do not grow the agent`() async {
    await #expect(processExitsWith: .success) {
      let fixture = try SpawnerFixture()
      let bytes = Counter()
      _ = try await fixture.runner.run(fixture.program("/bin/true"))
      let before = try ProcessTable.residentBytes()
      let script = "head -c 1073741824 /dev/zero & yes \"$(printf %1023s)\" | head -c 1073741824 >&2; wait"
      let result = try await fixture.runner.run(
        fixture.shell(script).with { $0.onLogLine = { bytes.add($0.count + 1) } })
      try require(result.termination == .exited(0), "\(result.termination)")
      try require(result.replyIsCut && result.reply.count == 1 << 20, "\(result.reply.count)")
      try require(bytes.value == 1 << 30, "\(bytes.value) bytes of log")
      let grown = try ProcessTable.peakResidentBytes() - before
      try require(grown < 32 << 20, "grown by \(grown)")
      await fixture.runner.stop()
    }
  }

  /// Ten thousand where slow tests are wanted.
  @Test(.timeLimit(.minutes(5))) func `P16 500 programs, 16 at once, leave no zombie and no descriptor`() async {
    await #expect(processExitsWith: .success) {
      let many = ProcessInfo.processInfo.environment["PENSTOCK_SLOW_TESTS"] == nil ? 500 : 10_000
      let fixture = try SpawnerFixture()
      let runner = fixture.runner
      let footprint = try await Footprint(fixture)
      let request = fixture.shell("cat; echo log >&2; (sleep 1000 &) ; exit 5").with { $0.input = [65] }
      let good = try await withThrowingTaskGroup(of: Bool.self) { group in
        var begun = 0
        var good = 0
        while begun < many {
          if begun >= 16, try await group.next() == true { good += 1 }
          group.addTask {
            let result = try await runner.run(request)
            return result.termination == .exited(5) && result.reply == [65]
          }
          begun += 1
        }
        for try await one in group where one { good += 1 }
        return good
      }
      try require(good == many, "\(good) of \(many)")
      try await footprint.isLeft()
    }
  }

  @Test(.timeLimit(.minutes(5))) func `an agent without descriptors says so in words`() async {
    await #expect(processExitsWith: .success) {
      let fixture = try SpawnerFixture()
      _ = try await fixture.runner.run(fixture.program("/bin/true"))
      var hoard: [FileHandle] = []
      while let one = FileHandle(forReadingAtPath: "/dev/null"), hoard.count < 100_000 { hoard.append(one) }
      let result = try await fixture.runner.run(fixture.program("/bin/true"))
      let words = try required(result.unstarted, "words")
      try require(words.contains("too many open files"), words)
      try require(result.isShortage, "no shortage")
      hoard = []
      let next = try await fixture.runner.run(fixture.program("/bin/true"))
      try require(next.termination == .exited(0), "\(next.termination)")
      await fixture.runner.stop()
    }
  }

  @Test(.timeLimit(.minutes(5))) func `a program that ends while SIGPIPE is armed does not end the agent`()
    async
  {
    await #expect(processExitsWith: .success) {
      signal(SIGPIPE, SIG_DFL)
      let fixture = try SpawnerFixture()
      let runner = fixture.runner
      _ = try await runner.run(fixture.program("/bin/true"))
      let spawner = try required(runner.process, "a spawner")
      for _ in 0..<20 {
        kill(spawner, SIGKILL)
        _ = try? await runner.run(fixture.program("/bin/true"))
      }
      await runner.stop()
    }
  }
}
