import Core
import Foundation
import Glibc
import Testing

/// What lies in an inbox and is no plain, readable file of some bytes: the ids are those of faults.md.
@Suite(.serialized, .timeLimit(.minutes(1))) struct ScenarioKindTests {
  @Test func `I04 an empty drop is waited for and then run`() async throws {
    let place = try ScenarioWorkspace.taking("settle_empty: 200ms\n")
    _ = place.create("empty.csv")
    #expect(try await place.penstock("up", "--once").code == 0)
    let run = try #require(try await place.runs().first)
    #expect(run.state == .done && run.drop?.bytes == 0)
  }

  @Test func `I05 a sparse file of 10 GB is claimed by rename`() async throws {
    let place = try ScenarioWorkspace.taking()
    let path = place.create("big.dat")
    #expect(truncate(path, 10 << 30) == 0)
    try place.pipeline(inbox: "*.dat", stages: [("only", "exit 2")])
    let agent = try await place.up()
    try await until("the claim; \(place.tail)") { try await !place.runs().isEmpty }
    let run = try #require(try await place.runs().first)
    #expect(run.drop?.bytes == 10 << 30)
    agent.signal(SIGKILL)
    _ = try await agent.end()
  }

  @Test func `I10 I11 links, pipes and sockets go to quarantine without being opened`() async throws {
    let place = try ScenarioWorkspace.taking()
    try place.write("secret", "do not read")
    #expect(symlink(place.path("secret"), place.path("inbox/link.csv")) == 0)
    #expect(symlink("nowhere", place.path("inbox/dangling.csv")) == 0)
    #expect(mkfifo(place.path("inbox/pipe.csv"), 0o600) == 0)
    try place.makeSocket("inbox/socket.csv")
    // a reader would stop at the pipe for ever
    #expect(try await place.penstock("up", "--once").code == 1)
    let runs = try await place.runs()
    #expect(runs.map(\.state) == Array(repeating: .quarantined, count: 4))
    for run in runs {
      let name = try #require(run.drop?.name.text)
      #expect(place.names("var/quarantine/\(run.id)") == [name, "reason.json"].sorted())
      let reason = try JSON(parsing: place.bytes("var/quarantine/\(run.id)/reason.json"))["reason"]?.string
      #expect(reason == run.reason && reason?.contains("not a file") == true)
    }
    #expect(place.text("secret") == "do not read")
    #expect(place.names("inbox").isEmpty)
  }

  @Test func `I12 a directory is held and said to be one`() async throws {
    let place = try ScenarioWorkspace.taking()
    try place.write("inbox/folder.csv/inner.csv", "x")
    try place.drop("a.csv")
    #expect(try await place.penstock("up", "--once").code == 0)
    #expect(place.text("inbox/folder.csv/inner.csv") == "x")
    #expect(place.logged("drop is held").first?["reason"]?.string?.contains("directory") == true)
    #expect(try await place.runs().count == 1)
  }

  @Test(.enabled(if: geteuid() == 0, "needs root to become someone else"))
  func `I16 a drop that may not be read is waited for, and runs when it may be`() async throws {
    let place = try ScenarioWorkspace.taking()
    try place.write("inbox/closed.csv", "x", mode: 0o000)
    try place.handOver()
    let agent = try await place.up(wrapped: ScenarioWorkspace.plainUser)
    try place.drop("marker.csv")
    chown(place.path("inbox/marker.csv"), 65534, 65534)
    try await place.ended(1)
    #expect(place.exists("inbox/closed.csv"))
    #expect(chmod(place.path("inbox/closed.csv"), 0o600) == 0)
    let runs = try await place.ended(2)
    #expect(runs.map(\.state) == [.done, .done])
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `I22 times of the future and of 1970 change nothing`() async throws {
    let place = try ScenarioWorkspace.taking()
    for (name, seconds) in [("future.csv", 4_000_000_000), ("past.csv", 0)] {
      try place.write("inbox/" + name, "x")
      var times = [timeval(tv_sec: seconds, tv_usec: 0), timeval(tv_sec: seconds, tv_usec: 0)]
      #expect(utimes(place.path("inbox/" + name), &times) == 0)
    }
    #expect(try await place.penstock("up", "--once").code == 0)
    #expect(try await place.runs().map(\.state) == [.done, .done])
  }

  @Test func `I26 a drop that is swapped for a link before the claim is not followed`() async throws {
    let place = try ScenarioWorkspace.taking("settle: 1s\n")
    try place.write("secret", "do not read")
    let agent = try await place.up()
    try place.write("inbox/a.csv", "x")
    #expect(symlink(place.path("secret"), place.path("inbox/.swap")) == 0)
    #expect(rename(place.path("inbox/.swap"), place.path("inbox/a.csv")) == 0)
    let runs = try await place.ended(1)
    #expect(runs.map(\.state) == [.quarantined])
    #expect(try await place.stop(agent).code == 0)
  }
}
