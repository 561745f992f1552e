import Core
import Foundation
import Glibc
import Synchronization
import Testing

@testable import Host

/// What a program may use of the machine, and that nothing of one that takes all it can get is left.
@Suite struct SpawnerLimitTests {
  @Test(.timeLimit(.minutes(3)))
  func `P13 a program over its memory limit fails by itself, and the agent is as well as before`()
    async throws
  {
    try await SpawnerFixture.with { fixture in
      let lines = Mutex<[[UInt8]]>([])
      let limits = ResourceLimits(memory: 256 << 20)
      let request = fixture.program("/usr/bin/python3", ["-c", "hog = bytearray(1 << 30)"]).with {
        $0.limits = limits
        $0.onLogLine = { line in lines.withLock { $0.append(line) } }
      }
      let result = try await fixture.runner.run(request)
      #expect(result.termination == .exited(1))
      let last = try #require(lines.withLock { $0.last.map { String(decoding: $0, as: UTF8.self) } })
      #expect(last == "MemoryError")
      #expect(
        limits.words(for: result, lastLine: last)
          == "it got no more memory, and its limit is 256 MiB (`limits.memory`): MemoryError")
      #expect(try await fixture.runner.run(fixture.program("/bin/true")).termination == .exited(0))
    }
  }

  @Test(.timeLimit(.minutes(3)), arguments: [false, true])
  func `P13 a program over its limit of processor time is ended, also one that does not heed the signal`(isDeaf: Bool)
    async throws
  {
    try await SpawnerFixture.with { fixture in
      let limits = ResourceLimits(cpuTime: .milliseconds(200))
      let script = (isDeaf ? "trap '' XCPU; " : "") + "while :; do :; done"
      let result = try await fixture.runner.run(fixture.shell(script).with { $0.limits = limits })
      #expect(result.termination == .signaled(isDeaf ? SIGKILL : SIGXCPU) && result.ending == .itself)
      // whole seconds, rounded up; the kernel gives a deaf one two more
      #expect(result.usage.cpu > 0.5 && result.usage.cpu < (isDeaf ? 4 : 2))
      #expect(
        limits.words(for: result, lastLine: nil)
          == "used more processor time than its limit of 200ms (`limits.cpu_time`)")
    }
  }

  /// Each of them lives for a moment, in a session of its own, and leaves a child: what is read of them is old at once.
  static let storm = """
    import os, time
    def hop():
        while True:
            if os.fork(): os._exit(0)
            os.setsid()
    for _ in range(4):
        if os.fork() == 0: hop()
    print("stormy", flush=True)
    time.sleep(1000)
    """

  @Test(.timeLimit(.minutes(3))) func `P02 P13 a storm of forks, each in a session of its own, ends with its program`()
    async throws
  {
    try await SpawnerFixture.with { fixture in
      let mark = "STORM=\(UUID().uuidString)"
      let request = fixture.program("/usr/bin/python3", ["-c", Self.storm]).with {
        $0.environment["STORM"] = String(mark.dropFirst("STORM=".count))
        $0.timeout = .seconds(1)
        $0.grace = .milliseconds(100)
      }
      let result = try await fixture.runner.run(request)
      #expect(result.ending == .timeout && result.replyText == "stormy\n")
      #expect(ProcessTable.processes(marked: mark).isEmpty)
      #expect(try await fixture.runner.run(fixture.program("/bin/true")).termination == .exited(0))
    }
  }

  @Test func `P13 a kill of the kernel for want of memory is told from one of a person`() throws {
    let place = try Spooled()
    try place.write("vmstat", "pgfault 12\noom_kill 3\npgscan 1\n")
    let witness = OutOfMemoryWitness(path: place.path("vmstat"))
    #expect(!witness.hasGrown())
    try place.write("vmstat", "pgfault 12\noom_kill 5\n")
    #expect(witness.hasGrown() && !witness.hasGrown())
    #expect(!OutOfMemoryWitness(path: place.path("none")).hasGrown())
    #expect(!OutOfMemoryWitness().hasGrown())
  }
}
