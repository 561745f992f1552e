import Core
import Foundation
import Glibc
import Testing

/// The locks of an agent that was killed, and the next one that wants them.
@Suite(.timeLimit(.minutes(2))) struct ScenarioLockTests {
  /// A stage that waits for `go` the first time, and says that it is at work.
  private let waiting = """
    touch "$PENSTOCK_HOME/began-$PENSTOCK_ATTEMPT"
    while [ ! -e "$PENSTOCK_HOME/go" ]; do sleep 0.05; done
    """

  @Test func `S12: killed and begun again at once, again and again, each agent gets the locks of the one before`()
    async throws
  {
    let place = try ScenarioWorkspace()
    try place.pipeline(stages: [("slow", waiting)])
    try place.drop("a.csv")
    for n in 1...15 {
      let agent = try await place.up()
      try await until("attempt \(n) to be at work; \(place.tail)") { place.exists("began-\(n)") }
      agent.signal(SIGKILL)
      // returns with the process: what it held is just being let go of
      _ = try await agent.end()
    }
    try place.write("go", "")
    let up = try await place.penstock("up", "--once")
    #expect(up.code == 0, "\(up.output) \(up.complaints)")
    let run = try #require(try await place.runs().first)
    #expect(try await place.attempts(run).map(\.state) == Array(repeating: .interrupted, count: 15) + [.ok])
  }

  @Test
  func `S12 P14: the next agent wakes a keeper that stayed stopped when agent and spawner died, and gets the lock`()
    async throws
  {
    let place = try ScenarioWorkspace()
    try place.pipeline(
      stages: [("one", "[ \"$PENSTOCK_ATTEMPT\" -gt 1 ] || exec python3 \"$PENSTOCK_HOME/leave\" \"$PENSTOCK_HOME\"")])
    try place.write("leave", Self.leaving)
    try place.drop("a.csv")
    let agent = try await place.up()
    try await until("the stage to be at work; \(place.tail)") { place.exists("began") }
    // else it would see to it itself
    agent.signal(SIGSTOP)
    try place.write("go", "")
    try await until("the keeper to be stopped and the spawner dead") { place.exists("left") }
    agent.signal(SIGKILL)
    _ = try await agent.end()
    let up = try await place.penstock("up", "--once")
    #expect(up.code == 0, "\(up.output) \(up.complaints)")
    let run = try #require(try await place.runs().first)
    #expect(run.state == .done)
    #expect(try await place.attempts(run).map(\.state) == [.interrupted, .ok])
  }

  /// Kills its spawner and leaves its keeper stopped: traced, it gets no moment to see that the spawner is gone.
  private static let leaving = """
    import ctypes, os, signal, sys, time
    home, keeper = sys.argv[1], os.getppid()
    def parent(): return int(open(f"/proc/{keeper}/stat").read().rpartition(")")[2].split()[1])
    spawner = parent()
    open(home + "/began", "w").close()
    while not os.path.exists(home + "/go"): time.sleep(0.05)
    trace = ctypes.CDLL(None).ptrace
    # PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH
    assert trace(0x4206, keeper, 0, 0) == 0 and trace(0x4207, keeper, 0, 0) == 0
    os.waitpid(keeper, 0x40000000)
    os.kill(spawner, signal.SIGKILL)
    while parent() == spawner: time.sleep(0.01)
    os.kill(keeper, signal.SIGSTOP)
    assert trace(17, keeper, 0, 0) == 0
    open(home + "/left", "w").close()
    time.sleep(1000)
    """

  @Test func `S12: the lock of an inbox is waited for a moment, for the kernel may just be letting go of it`()
    async throws
  {
    let place = try ScenarioWorkspace()
    try place.pipeline(stages: [("one", "exit 0")])
    try place.drop("a.csv")
    let holder = try ScenarioProgram(
      ["/usr/bin/env", "python3", "-c", Self.holding, place.path("inbox")],
      environment: ProcessInfo.processInfo.environment, logs: place.path("logs/holder"))
    try await until("the inbox to be held: \(holder.text)") { place.exists("held") }
    let up = try await place.penstock("up", "--once")
    #expect(up.code == 0, "\(up.output) \(up.complaints)")
    #expect(try await place.runs().map(\.state) == [.done])
  }

  /// Holds the lock that InboxLock.swift takes, for 300 ms.
  private static let holding = """
    import os, socket, sys, time
    inbox = os.stat(sys.argv[1])
    lock = socket.socket(socket.AF_UNIX)
    lock.bind(f"\\0penstock inbox {inbox.st_dev}:{inbox.st_ino}")
    open(sys.argv[1] + "/../held", "w").close()
    time.sleep(0.3)
    """
}
