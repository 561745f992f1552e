import Core
import Glibc
import Testing

@testable import Host

@Suite struct SpawnerStoppedTests {
  @Test(.timeLimit(.minutes(5))) func `P06 P14 what a stopped keeper watches over does not outlive the agent`()
    async throws
  {
    let fixture = try SpawnerFixture()
    let agent = try BareAgent()
    let mark = "of-a-stopped-keeper-\(getpid())"
    let fifo = fixture.path("up")
    try #require(mkfifo(fifo, 0o600) == 0)
    try agent.run(
      fixture.shell("echo $PPID >up; sleep 1000").with { $0.environment["PENSTOCK_TEST_MARK"] = mark })
    // blocks until the program is up
    let up = Descriptor(owning: open(fifo, O_RDONLY))
    var text = [UInt8](repeating: 0, count: 16)
    let count = read(up.number, &text, text.count)
    let keeper = try #require(Int32(String(decoding: text[..<max(0, count - 1)], as: UTF8.self)))

    agent.signal(SIGSTOP)
    kill(keeper, SIGSTOP)
    agent.die()
    agent.signal(SIGCONT)
    #expect(agent.waitForSpawner() == 0)
    // with the spawner the lock is free: nothing may be left then, not even for a moment
    #expect(ProcessTable.processes(marked: "PENSTOCK_TEST_MARK=\(mark)") == [])
  }

  @Test(.timeLimit(.minutes(5))) func `P06 P14 what holds its keeper by ptrace does not outlive the agent`()
    async throws
  {
    let fixture = try SpawnerFixture()
    let agent = try BareAgent()
    let mark = "of-a-traced-keeper-\(getpid())"
    let fifo = fixture.path("up")
    try #require(mkfifo(fifo, 0o600) == 0)
    // PTRACE_SEIZE, PTRACE_INTERRUPT
    let script = """
      import ctypes, os, time
      trace = ctypes.CDLL(None).ptrace
      trace(0x4206, os.getppid(), 0, 0), trace(0x4207, os.getppid(), 0, 0)
      open("up", "w").write("up")
      time.sleep(1000)
      """
    try agent.run(
      fixture.program("/usr/bin/env", ["python3", "-c", script]).with { $0.environment["PENSTOCK_TEST_MARK"] = mark })
    let up = Descriptor(owning: open(fifo, O_RDONLY))
    var text = [UInt8](repeating: 0, count: 16)
    try #require(read(up.number, &text, text.count) == 2)

    agent.die()
    try await eventually("the spawner has ended") { agent.hasSpawnerEnded }
    #expect(ProcessTable.processes(marked: "PENSTOCK_TEST_MARK=\(mark)") == [])
  }
}
