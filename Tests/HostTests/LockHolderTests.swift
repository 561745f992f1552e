import Core
import Foundation
import Glibc
import Testing

@testable import Host

@Suite struct LockHolderTests {
  /// Has the lock of an agent that died, calls itself by a name, is stopped, and says when it was woken.
  private static let holding = """
    import fcntl, os, signal, sys, time
    lock = os.open("var/agent.lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    # no process has this number
    os.write(lock, b"2147483647 boot\\n")
    open("/proc/self/comm", "w").write(sys.argv[1])
    print(os.getpid(), file=sys.stderr, flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)
    print("woken", file=sys.stderr, flush=True)
    time.sleep(1000)
    """

  /// Calls `body` with the number of such a process and what it says.
  private func withStopped(
    _ name: String, _ body: (String, Int32, AsyncStream<String>) async throws -> Void
  ) async throws {
    try await SpawnerFixture.with { fixture in
      try FileManager.default.createDirectory(atPath: fixture.path("var"), withIntermediateDirectories: true)
      let (lines, line) = AsyncStream<String>.makeStream()
      let request = fixture.program("/usr/bin/env", ["python3", "-c", Self.holding, name]).with {
        $0.onLogLine = { line.yield(String(decoding: $0, as: UTF8.self)) }
      }
      let runner = fixture.runner
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { _ = try? await runner.run(request) }
        var first = ""
        for await line in lines {
          first = line
          break
        }
        let pid = try #require(Int32(first), "\(first)")
        try await eventually("it is stopped") { ProcessEntry.of(pid)?.state == .stopped }
        try await body(fixture.path("var"), pid, lines)
        group.cancelAll()
      }
    }
  }

  @Test(.timeLimit(.minutes(1)), arguments: ["penstock-keeper", "penstock-spawne"])
  func `P14 what a dead agent left stopped is woken by who wants the lock, and named`(name: String) async throws {
    try await withStopped(name) { place, pid, said in
      let held = #expect(throws: InstanceLock.Held.self) { try InstanceLock(varPath: place, boot: "boot") }
      #expect(held?.left == [LockHolder(pid: pid, program: name)])
      #expect(
        held?.description
          == "an agent that died (pid 2147483647) is still being cleaned up after by `\(name)` (pid \(pid)): "
          + "try again in a second; if it stays so, end the programs that `ps -o pid,stat,args --ppid \(pid)` shows, "
          + "and try again")
      for await line in said where line == "woken" { break }
    }
  }

  @Test(.timeLimit(.minutes(1))) func `P14 a stranger that has the lock open is not woken`() async throws {
    try await withStopped("someone") { place, pid, _ in
      let held = #expect(throws: InstanceLock.Held.self) { try InstanceLock(varPath: place, boot: "boot") }
      #expect(held?.left == [])
      #expect(held?.description.hasSuffix("is still being cleaned up after: try again in a second") == true)
      #expect(ProcessEntry.of(pid)?.state == .stopped)
    }
  }
}
