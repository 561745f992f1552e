import Core
import Foundation
import Glibc
import Host
import TestSupport
import Testing

/// Keepers that the death of their spawner does not end: stopped, or held.
@Suite struct SpawnerLeftTests {
  /// Parts of a program in Python.
  ///
  /// What is traced and stopped stays stopped when it is let go of, whatever SIGCONT came meanwhile:
  /// so no keeper gets a moment to see that its spawner is gone.
  private static let tracing = """
    import ctypes, os, signal, subprocess, sys, time
    keeper = os.getppid()
    def parent(process): return int(open(f"/proc/{process}/stat").read().rpartition(")")[2].split()[1])
    spawner = parent(keeper)
    trace = ctypes.CDLL(None).ptrace
    SEIZE, INTERRUPT, CONT, DETACH, TRACE_FORK, FORKED, ANY = 0x4206, 0x4207, 7, 17, 2, 1, 0x40000000
    def hold(process):
        assert trace(SEIZE, process, 0, 0) == 0 and trace(INTERRUPT, process, 0, 0) == 0
        os.waitpid(process, ANY)
    def leave_stopped(process):
        os.kill(process, signal.SIGSTOP)
        assert trace(DETACH, process, 0, 0) == 0

    """

  private func python(_ fixture: SpawnerFixture, _ script: String) -> (ProgramRequest, mark: String) {
    let mark = UUID().uuidString
    let request = fixture.program("/usr/bin/env", ["python3", "-c", Self.tracing + script]).with {
      $0.environment["PENSTOCK_TEST_MARK"] = mark
    }
    return (request, "PENSTOCK_TEST_MARK=\(mark)")
  }

  @Test(.timeLimit(.minutes(1)))
  func `P14 a keeper that is stopped again after its spawner died is woken, and ends its program`()
    async throws
  {
    try await SpawnerFixture.with { fixture in
      let (request, mark) = python(
        fixture,
        """
        hold(keeper)
        os.kill(spawner, signal.SIGKILL)
        while parent(keeper) == spawner: time.sleep(0.001)
        leave_stopped(keeper)
        time.sleep(1000)
        """)
      let lost = await #expect(throws: SpawnerGone.self) { try await fixture.runner.run(request) }
      #expect(ProcessTable.processes(marked: mark) == [])
      let next = try await fixture.runner.run(fixture.program("/bin/true"))
      #expect(next.termination == .exited(0))
      #expect(fixture.runner.process != lost?.process)
    }
  }

  @Test(.timeLimit(.minutes(1)))
  func `P14 what holds its keeper when the spawner has died is ended, with all that it left`()
    async throws
  {
    try await SpawnerFixture.with { fixture in
      let (request, mark) = python(
        fixture,
        """
        for command in ["sleep 1000", "setsid sleep 1000 &", "trap '' TERM; setsid sh -c 'sleep 1000; :' & sleep 1000"]:
            subprocess.Popen(["/bin/sh", "-c", command], start_new_session=command[0] != "s")
        hold(keeper)
        os.kill(spawner, signal.SIGKILL)
        time.sleep(1000)
        """)
      await #expect(throws: SpawnerGone.self) { try await fixture.runner.run(request) }
      #expect(ProcessTable.processes(marked: mark) == [])
      let next = try await fixture.runner.run(fixture.program("/bin/true"))
      #expect(next.termination == .exited(0))
    }
  }

  @Test(.timeLimit(.minutes(1)))
  func `P14 a keeper stopped before its first step begins no program once its spawner is dead`()
    async throws
  {
    try await SpawnerFixture.with { fixture in
      let (holding, mark) = python(
        fixture,
        """
        assert trace(SEIZE, spawner, 0, TRACE_FORK) == 0
        print("up", file=sys.stderr, flush=True)
        process = spawner
        # it may be heard of the fork or of the child first, and before of signals, which it is given, and other stops
        while process == spawner:
            process, status = os.waitpid(-1, ANY)
            event = status >> 16
            if process == spawner and event != FORKED: trace(CONT, spawner, 0, 0 if event else status >> 8)
        leave_stopped(process)
        os.kill(spawner, signal.SIGKILL)
        time.sleep(1000)
        """)
      let (ups, up) = AsyncStream<Void>.makeStream()
      let runner = fixture.runner
      await withTaskGroup(of: Void.self) { group in
        group.addTask {
          await #expect(throws: SpawnerGone.self) {
            try await runner.run(holding.with { $0.onLogLine = { if $0 == Array("up".utf8) { up.yield() } } })
          }
          up.finish()
        }
        for await _ in ups { break }
        await #expect(throws: SpawnerGone.self) { try await runner.run(fixture.shell("echo began >began; sleep 1000")) }
      }
      #expect(ProcessTable.processes(marked: mark) == [])
      #expect(access(fixture.path("began"), F_OK) != 0)
      let next = try await fixture.runner.run(fixture.program("/bin/true"))
      #expect(next.termination == .exited(0))
    }
  }
}
