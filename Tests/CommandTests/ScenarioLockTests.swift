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
