import Core
import Glibc
import Testing

@testable import Host

@Suite struct SpawnerStoppedTests {
  /// A program that `agent` runs, found by its mark; it is to write into the fifo `up` of its directory.
  private struct Marked {
    let fixture: SpawnerFixture
    let agent: BareAgent
    let mark: String

    init(_ name: String) throws {
      fixture = try SpawnerFixture()
      agent = try BareAgent()
      mark = "\(name)-\(getpid())"
      try #require(mkfifo(fixture.path("up"), 0o600) == 0)
    }

    /// Returns what the program wrote when it was up.
    func run(_ request: ProgramRequest) throws -> String {
      try agent.run(request.with { $0.environment["PENSTOCK_TEST_MARK"] = mark })
      let up = Descriptor(owning: open(fixture.path("up"), O_RDONLY))
      var text = [UInt8](repeating: 0, count: 16)
      let count = read(up.number, &text, text.count)
      return String(decoding: text[..<max(0, count)], as: UTF8.self)
    }

    var left: [Int32] { ProcessTable.processes(marked: "PENSTOCK_TEST_MARK=\(mark)") }
  }

  @Test(.timeLimit(.minutes(5))) func `P06 P14 what a stopped keeper watches over does not outlive the agent`()
    async throws
  {
    let marked = try Marked("of-a-stopped-keeper")
    let agent = marked.agent
    let keeper = try #require(Int32(try marked.run(marked.fixture.shell("echo $PPID >up; sleep 1000")).dropLast()))

    agent.signal(SIGSTOP)
    kill(keeper, SIGSTOP)
    agent.die()
    agent.signal(SIGCONT)
    #expect(agent.waitForSpawner() == 0)
    // with the spawner the lock is free: nothing may be left then, not even for a moment
    #expect(marked.left == [])
  }

  @Test(.timeLimit(.minutes(5))) func `P06 P14 what holds its keeper by ptrace does not outlive the agent`()
    async throws
  {
    let marked = try Marked("of-a-traced-keeper")
    let agent = marked.agent
    // PTRACE_SEIZE, PTRACE_INTERRUPT
    let script = """
      import ctypes, os, time
      trace = ctypes.CDLL(None).ptrace
      trace(0x4206, os.getppid(), 0, 0), trace(0x4207, os.getppid(), 0, 0)
      open("up", "w").write("up")
      time.sleep(1000)
      """
    let said = try marked.run(marked.fixture.program("/usr/bin/env", ["python3", "-c", script]))
    try #require(said == "up")

    agent.die()
    try await eventually("the spawner has ended") { agent.hasSpawnerEnded }
    #expect(marked.left == [])
  }

  @Test(.timeLimit(.minutes(5))) func `P14 a program does not outlive its keeper, whoever else is killed with it`()
    async throws
  {
    let marked = try Marked("of-a-killed-keeper")
    let agent = marked.agent
    // the shell becomes the program: what it leaves running is the spawner's, which is dead here
    let said = try marked.run(marked.fixture.shell("echo $PPID >up; exec sleep 1000"))
    let keeper = try #require(Int32(said.dropLast()))

    agent.signal(SIGSTOP)
    kill(keeper, SIGKILL)
    agent.signal(SIGKILL)
    try await eventually("the program has ended") { marked.left == [] }
  }
}
