import Core
import Foundation
import Glibc
import Testing

/// What lies in an inbox and is no plain, readable file of some bytes: the ids are those of faults.md.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ScenarioKindTests {
  @Test func `I04 an empty drop is waited for and then run`() async throws {
    let place = try ScenarioWorkspace.taking("settle_empty: 200ms\n")
    _ = place.create("empty.csv")
    #expect(try await place.penstock("up", "--once").code == 0)
    let run = try #require(try await place.runs().first)
    #expect(run.state == .done && run.drop?.bytes == 0)
  }

  @Test func `I04 a browser's placeholder is not taken for a drop while its content is on its way`() async throws {
    let place = try ScenarioWorkspace.taking("settle_empty: 50ms\n")
    let agent = try await place.up()
    try place.write("inbox/a.csv.part", "half")
    _ = place.create("a.csv")
    try await place.passOver(runs: 1)
    #expect(place.exists("inbox/a.csv"))
    try place.write("inbox/a.csv.part", "half whole")
    #expect(rename(place.path("inbox/a.csv.part"), place.path("inbox/a.csv")) == 0)
    let runs = try await place.ended(2)
    #expect(place.text("var/done/\(runs[1].id)/a.csv") == "half whole")
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `I04 with empty quarantine a drop that stays empty goes there with its reason`() async throws {
    let place = try ScenarioWorkspace.taking("settle_empty: 50ms\nempty: quarantine\n")
    _ = place.create("a.csv")
    #expect(try await place.penstock("up", "--once").code == 1)
    let run = try #require(try await place.runs().first)
    #expect(run.state == .quarantined && run.reason == "`a.csv` is empty")
    #expect(place.names("var/quarantine/\(run.id)") == ["a.csv", "reason.json"])
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

  @Test func `I12 a tree that is still being copied in is held whole, however deep`() async throws {
    let place = try ScenarioWorkspace.taking()
    let agent = try await place.up()
    var path = "inbox/tree.csv"
    for depth in 0..<50 {
      path += "/\(depth)"
      try place.write(path + "/leaf.csv", "x")
    }
    try await place.waitForHold("tree.csv", "is a directory")
    try await place.passOver(runs: 1)
    #expect(place.text(path + "/leaf.csv") == "x")
    #expect(try await place.runs().count == 1)
    #expect(try await place.stop(agent).code == 0)
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
    let why = try await place.start(["why", "closed.csv"], wrapped: ScenarioWorkspace.plainUser).end()
    #expect(
      why.output.contains("unreadable: it belongs to user 65534 with mode 00, and the agent is user 65534")
        && why.output.contains("chown or chmod it, or `penstock put` it"), "\(why.output) \(why.complaints)")
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

  /// Someone swaps the drop for a link and back, as fast as the kernel lets him.
  @Test func `I26 whatever is swapped under a claim, no link is followed and no drop is lost`() async throws {
    let place = try ScenarioWorkspace(settings: "settle: 1ms\nsettle_moved: 1ms\nconcurrency: 2\n")
    try place.pipeline(stages: [
      ("read", "cat \"$1\" > seen; echo '{\"outputs\":[{\"name\":\"seen\",\"path\":\"seen\"}]}'")
    ])
    let text = place.text("pipelines/p.yaml").replacing("p-read.sh\"]", with: "p-read.sh\", \"${input}\"]")
    try place.write("pipelines/p.yaml", text)
    try place.write("secret", "do not read")
    let agent = try await place.up()
    let swapper = try ScenarioProgram(
      ["/usr/bin/env", "python3", "-c", Self.swapper, place.home],
      environment: ProcessInfo.processInfo.environment, logs: place.path("logs/swapper"))
    let ended = try await swapper.end()
    #expect(ended.code == 0, "\(ended.complaints)")
    let made = Int(ended.output.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
    var runs = try await place.runs()
    try await until("the inbox to be empty; \(place.tail)") {
      runs = try await place.runs()
      return place.names("inbox").isEmpty && runs.allSatisfy { $0.filed }
    }
    let files = runs.filter { $0.state == .done }
    #expect(files.count == made && runs.allSatisfy { $0.state == .done || $0.state == .quarantined })
    #expect(Set(files.map { place.text("var/done/\($0.id)/a.csv") }).count == made)
    for run in runs { #expect(!place.text("var/runs/\(run.id)/read/seen").contains("do not read")) }
    #expect(place.names("var/work").isEmpty)
    #expect(try await place.stop(agent).code == 0)
  }

  /// Says how many files it made.
  private static let swapper = """
    import ctypes, os, sys, time
    home = sys.argv[1]
    inbox, aside = home + "/inbox", home + "/aside"
    os.mkdir(aside)
    libc = ctypes.CDLL(None, use_errno=True)
    def exchange(one, other): return libc.renameat2(-100, one.encode(), -100, other.encode(), 2) == 0
    made = 0
    end = time.monotonic() + 3
    while time.monotonic() < end:
        with open(aside + "/new", "w") as file: file.write(f"drop {made}")
        os.symlink(home + "/secret", aside + "/link")
        os.rename(aside + "/new", inbox + "/a.csv")
        made += 1
        swaps = 0
        while swaps < 200 and exchange(inbox + "/a.csv", aside + "/link"): swaps += 1
        # whatever is left aside goes in under a name that is free
        while os.path.lexists(inbox + "/a.csv"): time.sleep(0.002)
        if os.path.lexists(aside + "/link"):
            if os.path.islink(aside + "/link"): os.unlink(aside + "/link")
            else: os.rename(aside + "/link", inbox + "/a.csv")
        while os.path.lexists(inbox + "/a.csv"): time.sleep(0.002)
    print(made)
    """

  @Test(.enabled(if: geteuid() == 0, "needs root to become someone else"))
  func `I26 a drop in a sticky inbox that is not ours is held with words, and runs when it may be taken`() async throws
  {
    let place = try ScenarioWorkspace.taking("rescan: 1s\n")
    try place.handOver()
    // as /tmp is: all may write, and only the owner of a file may rename it
    #expect(chown(place.path("inbox"), 0, 0) == 0 && chmod(place.path("inbox"), 0o1777) == 0)
    let agent = try await place.up(wrapped: ScenarioWorkspace.plainUser)
    try place.write("inbox/theirs.csv", "x")
    try await place.waitForHold("theirs.csv", "let user 65534 write in the inbox and own its drops")
    #expect(place.exists("inbox/theirs.csv") && place.names("var/work").isEmpty)
    #expect(chown(place.path("inbox/theirs.csv"), 65534, 65534) == 0)
    #expect(try await place.ended(1).map(\.state) == [.done])
    #expect(try await place.stop(agent).code == 0)
  }

  @Test(.enabled(if: geteuid() == 0, "needs root to become someone else"))
  func `I28 an agent that loses its rights to work says so, moves nothing, and goes on when it has them`() async throws
  {
    let place = try ScenarioWorkspace.taking("rescan: 1s\n")
    try place.handOver()
    let agent = try await place.up(wrapped: ScenarioWorkspace.plainUser)
    try place.write("inbox/first.csv", "x")
    #expect(chown(place.path("inbox/first.csv"), 65534, 65534) == 0)
    try await place.ended(1)
    for n in 0..<2 {
      let forbidden = n == 0 ? chmod(place.path("var/work"), 0o000) : chown(place.path("var/work"), 0, 0)
      #expect(forbidden == 0)
      try place.write("inbox/\(n).csv", "content \(n)")
      #expect(chown(place.path("inbox/\(n).csv"), 65534, 65534) == 0)
      try await until("intake to pause; \(place.tail)") { place.logged("intake is paused").count > n }
      let reason = place.logged("intake is paused").last?["reason"]?.string ?? ""
      #expect(reason.contains("var/work") && reason.contains("Permission denied"), "\(reason)")
      #expect(place.text("inbox/\(n).csv") == "content \(n)")
      #expect(chown(place.path("var/work"), 65534, 65534) == 0 && chmod(place.path("var/work"), 0o700) == 0)
      let runs = try await place.ended(n + 2)
      #expect(runs.last.map { place.text("var/done/\($0.id)/\(n).csv") } == "content \(n)")
    }
    #expect(try await place.stop(agent).code == 0)
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
