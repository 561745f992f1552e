import Core
import Foundation
import Glibc
import Host
import TestSupport
import Testing

@Suite struct SpawnerTreeTests {
  /// Starts one of each that survives `kill(-pgid)` or TERM, then says `ready` on stderr.
  private static let hostile = """
    sleep 1000 &
    sh -c 'trap "" TERM; echo up >&2; while :; do sleep 1000; done' &
    sh -m -c 'sleep 1000 & wait' 2>/dev/null &
    setsid sh -c 'trap "" TERM HUP; echo up >&2; while :; do sleep 1000; done' &
    setsid sh -c '(trap "" TERM; echo up >&2; sleep 1000) & exit' &
    sh -c 'echo up >&2; kill -STOP $$' &
    """
  /// How many of them say `up` first.
  private static let ups = 4

  private static let mark = "PENSTOCK_TEST_MARK"

  private func marked(_ request: ProgramRequest) -> (ProgramRequest, String) {
    let mark = UUID().uuidString
    return (request.with { $0.environment[Self.mark] = mark }, "\(Self.mark)=\(mark)")
  }

  /// Calls `job` once, when all of the hostile ones are up.
  private func whenUp(_ job: @escaping @Sendable () -> Void) -> @Sendable ([UInt8]) -> Void {
    let count = Counter()
    return { line in
      if line == Array("up".utf8), count.increment() == Self.ups { job() }
    }
  }

  @Test(.timeLimit(.minutes(5))) func `P01 P02 a timeout ends a tree that will not end`() async throws {
    try await SpawnerFixture.with { fixture in
      let (request, mark) = marked(
        fixture.shell("trap '' TERM; \(Self.hostile)\nwhile :; do wait; sleep 1000; done"))
      let isUp = Counter()
      let result = try await fixture.runner.run(
        request.with {
          $0.timeout = .seconds(2)
          $0.grace = .milliseconds(200)
          $0.onLogLine = whenUp { _ = isUp.increment() }
        })
      #expect(isUp.value == 1)
      #expect(result.ending == .timeout)
      #expect(result.termination == .signaled(SIGKILL))
      #expect(result.usage.wall >= 2.2)
      #expect(result.usage.wall < 10)
      #expect(ProcessTable.processes(marked: mark) == [])
    }
  }

  @Test(.timeLimit(.minutes(5))) func `P01 a timeout asks first, and the program may answer`() async throws {
    try await SpawnerFixture.with { fixture in
      let request = fixture.shell("trap 'echo bye; exit 9' TERM; sleep 1000 & wait; wait")
      let result = try await fixture.runner.run(request.with { $0.timeout = .milliseconds(300) })
      #expect(result.ending == .timeout)
      #expect(result.termination == .exited(9))
      #expect(result.replyText == "bye\n")
      #expect(result.usage.wall < 5)
    }
  }

  @Test(.timeLimit(.minutes(5))) func `P06 a stopped program ends in a timeout`() async throws {
    try await SpawnerFixture.with { fixture in
      let result = try await fixture.runner.run(
        fixture.shell("kill -STOP $$").with { $0.timeout = .milliseconds(200) })
      #expect(result.ending == .timeout)
      // TERM, then CONT so that it hears it.
      #expect(result.termination == .signaled(SIGTERM))
    }
  }

  @Test(.timeLimit(.minutes(5))) func `P06 a program that stops the process that watches over it is ended with it`()
    async throws
  {
    try await SpawnerFixture.with { fixture in
      let (request, mark) = marked(
        fixture.shell("trap '' TERM; (while :; do kill -STOP $PPID; done) & kill -STOP $PPID; sleep 1000"))
      let result = try await fixture.runner.run(request.with { $0.timeout = .seconds(900) })
      #expect(result.unstarted?.contains("which signal 19 stopped") == true, "\(result.termination)")
      try await eventually("its tree is gone") { ProcessTable.processes(marked: mark) == [] }
      #expect(try await fixture.runner.run(fixture.program("/bin/true")).termination == .exited(0))
    }
  }

  @Test(.timeLimit(.minutes(5))) func `P06 a program that stops the spawner keeps no other from its end or its start`()
    async throws
  {
    try await SpawnerFixture.with { fixture in
      _ = try await fixture.runner.run(fixture.program("/bin/true"))
      let spawner = try #require(fixture.runner.process)
      let result = try await fixture.runner.run(
        fixture.shell("kill -STOP \(spawner); sleep 1000").with { $0.timeout = .milliseconds(300) })
      #expect(result.ending == .timeout)
      #expect(try await fixture.runner.run(fixture.program("/bin/true")).termination == .exited(0))
      kill(spawner, SIGSTOP)
    }
    // the fixture's end waits for that of the spawner
  }

  @Test(.timeLimit(.minutes(5)))
  func `P06 whoever stops the spawner, and its keeper too, is ended by a timeout or a person`()
    async throws
  {
    try await SpawnerFixture.with { fixture in
      _ = try await fixture.runner.run(fixture.program("/bin/true"))
      let spawner = try #require(fixture.runner.process)
      let both = fixture.shell("kill -STOP \(spawner); kill -STOP $PPID; sleep 1000")
      let timed = try await fixture.runner.run(both.with { $0.timeout = .milliseconds(300) })
      #expect(timed.unstarted?.contains("which signal 19 stopped") == true, "\(timed.termination)")
      let cancellation = Cancellation()
      let cancelled = try await fixture.runner.run(
        fixture.shell("kill -STOP \(spawner); echo up >&2; sleep 1000").with {
          $0.cancellation = cancellation
          $0.onLogLine = { _ in cancellation.cancel(.person) }
        })
      #expect(cancelled.ending == .cancelled)
    }
  }

  @Test(.timeLimit(.minutes(5))) func `P06 a program that asks to be traced goes on as if nobody had heard it`()
    async throws
  {
    try await SpawnerFixture.with { fixture in
      let script = """
        import ctypes, os, signal
        signal.signal(signal.SIGUSR1, lambda *_: print("heard", flush=True))
        ctypes.CDLL(None).ptrace(0, 0, 0, 0)
        os.kill(os.getpid(), signal.SIGUSR1)
        os.execv("/bin/sh", ["sh", "-c", "echo replaced; exit 7"])
        """
      let result = try await fixture.runner.run(fixture.program("/usr/bin/env", ["python3", "-c", script]))
      #expect(result.termination == .exited(7))
      #expect(result.replyText == "heard\nreplaced\n")
    }
  }

  @Test(.timeLimit(.minutes(5))) func `P02 P03 nothing outlives a program that ended itself`() async throws {
    try await SpawnerFixture.with { fixture in
      // It waits for them through a FIFO, without being told by the test.
      let (request, mark) = marked(
        fixture.shell(
          "mkfifo f; exec 3<>f; \(Self.hostile.replacing(">&2", with: ">&3"))\n"
            + "for i in 1 2 3 4; do read up <&3; done; echo reply; exit 4"))
      let result = try await fixture.runner.run(request)
      #expect(result.ending == .itself)
      #expect(result.termination == .exited(4))
      #expect(result.replyText == "reply\n")
      #expect(ProcessTable.processes(marked: mark) == [])
    }
  }

  @Test(.timeLimit(.minutes(5))) func `P03 a pipe held outside of the tree is waited for 2 s`() async throws {
    try await SpawnerFixture.with { fixture in
      // This very process opens the program's stdout through /proc and keeps it.
      let held = HeldDescriptor()
      let clock = ContinuousClock()
      let began = clock.now
      let request = fixture.shell("echo reply; echo $$ >&2; sleep 1000 & wait").with {
        $0.onLogLine = { line in
          let pid = String(decoding: line, as: UTF8.self)
          held.open("/proc/\(pid)/fd/1")
          if let pid = Int32(pid) { kill(pid, SIGTERM) }
        }
      }
      let result = try await fixture.runner.run(request)
      #expect(held.isOpen)
      #expect(result.termination == .signaled(SIGTERM))
      #expect(result.replyText == "reply\n")
      #expect(clock.now - began >= .seconds(2))
      #expect(clock.now - began < .seconds(900))
    }
  }

  @Test(.timeLimit(.minutes(5))) func `a cancelled program ends with its whole tree`() async throws {
    try await SpawnerFixture.with { fixture in
      let cancellation = Cancellation()
      let (request, mark) = marked(fixture.shell("\(Self.hostile)\nwait; sleep 1000"))
      let result = try await fixture.runner.run(
        request.with {
          $0.cancellation = cancellation
          $0.grace = .milliseconds(200)
          $0.onLogLine = whenUp { cancellation.cancel(.person) }
        })
      #expect(result.ending == .cancelled)
      #expect(result.termination == .signaled(SIGTERM))
      #expect(ProcessTable.processes(marked: mark) == [])
    }
  }

  @Test(.timeLimit(.minutes(5))) func `what was cancelled before it began ends at once`() async throws {
    try await SpawnerFixture.with { fixture in
      let cancellation = Cancellation()
      cancellation.cancel(.shutdown)
      let result = try await fixture.runner.run(
        fixture.shell("sleep 1000").with { $0.cancellation = cancellation })
      #expect(result.ending == .cancelled)
      // Not by KILL after the grace of 5 s.
      #expect(result.termination == .signaled(SIGTERM))
    }
  }

  @Test(.timeLimit(.minutes(5))) func `a cancelled task ends its program`() async throws {
    try await SpawnerFixture.with { fixture in
      let (lines, line) = AsyncStream<[UInt8]>.makeStream()
      let request = fixture.shell("echo up >&2; sleep 1000").with { $0.onLogLine = { line.yield($0) } }
      let runner = fixture.runner
      let result = try await withThrowingTaskGroup(of: ProgramResult.self) { group in
        group.addTask { try await runner.run(request) }
        for await _ in lines { break }
        group.cancelAll()
        return try await group.next()
      }
      #expect(result?.ending == .cancelled)
    }
  }

  @Test(.timeLimit(.minutes(5))) func `when the spawner is killed all programs end and their runs throw`()
    async throws
  {
    try await SpawnerFixture.with { fixture in
      let (request, mark) = marked(fixture.shell("\(Self.hostile)\nwait; sleep 1000"))
      let runner = fixture.runner
      let clock = ContinuousClock()
      let killed = Moment()
      let lost = await #expect(throws: SpawnerGone.self) {
        try await runner.run(
          request.with {
            $0.onLogLine = whenUp {
              killed.set(clock.now)
              if let spawner = runner.process { kill(spawner, SIGKILL) }
            }
          })
      }
      // a second on a quiet machine; the program itself would sleep for 1000
      #expect(clock.now - (try #require(killed.value)) < .seconds(30))
      #expect(ProcessTable.processes(marked: mark) == [])
      #expect(lost?.description.contains("penstock-spawner") == true)
      let next = try await runner.run(fixture.program("/bin/true"))
      #expect(next.termination == .exited(0))
      #expect(runner.process != lost?.process)
    }
  }

  @Test(.timeLimit(.minutes(5))) func `when a keeper is killed its program ends and the run is told`()
    async throws
  {
    try await SpawnerFixture.with { fixture in
      let (request, mark) = marked(fixture.shell("\(Self.hostile)\nwait; sleep 1000"))
      let runner = fixture.runner
      let result = try await runner.run(
        request.with {
          $0.onLogLine = whenUp {
            guard let spawner = runner.process else { return }
            for keeper in ProcessTable.children(of: spawner).keys { kill(keeper, SIGKILL) }
          }
        })
      #expect(result.unstarted?.contains("killed by signal 9") == true)
      // The spawner ends them while it tells; they are its children until they are gone.
      let spawner = try #require(runner.process)
      try await eventually("its keepers are gone") { ProcessTable.children(of: spawner).isEmpty }
      #expect(ProcessTable.processes(marked: mark) == [])
      #expect(try await runner.run(fixture.program("/bin/true")).termination == .exited(0))
    }
  }

  @Test(.timeLimit(.minutes(5))) func `a stopped runner ends its programs and starts no more`() async throws {
    let fixture = try SpawnerFixture()
    let (request, mark) = marked(fixture.shell("\(Self.hostile)\nwait; sleep 1000"))
    let (ups, up) = AsyncStream<Void>.makeStream()
    let runner = fixture.runner
    let waiting = request.with { $0.onLogLine = whenUp { up.yield() } }
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        await #expect(throws: SpawnerGone.self) { try await runner.run(waiting) }
      }
      for await _ in ups { break }
      await runner.stop()
      #expect(ProcessTable.processes(marked: mark) == [])
      await #expect(throws: RunnerStopped.self) { try await runner.run(waiting) }
    }
  }
}
