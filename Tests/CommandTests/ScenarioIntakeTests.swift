import Core
import Foundation
import Glibc
import Testing

/// What lies in an inbox, however it got there: the ids are those of faults.md.
@Suite(.serialized, .timeLimit(.minutes(1))) struct ScenarioIntakeTests {
  private func place(_ settings: String = "") throws -> ScenarioWorkspace {
    let place = try ScenarioWorkspace(settings: settings)
    try place.pipeline(stages: [("only", "cat >/dev/null")])
    return place
  }

  /// What of a name is held, as the log says it.
  private func waitForHold(_ place: ScenarioWorkspace, _ name: String, _ words: String) async throws {
    try await place.waitForLog("drop is held") {
      $0["drop"]?.string == name && $0["reason"]?.string?.contains(words) == true
    }
  }

  /// A drop made after others, whose end shows that the agent has passed over those.
  private func passOver(_ place: ScenarioWorkspace, runs: Int) async throws {
    try place.drop("marker.csv")
    try await place.ended(runs)
  }

  @Test func `I01 a file that is open for writing is not claimed before it is closed`() async throws {
    let place = try place()
    let agent = try await place.up()
    let writer = try #require(FileHandle(forWritingAtPath: create(place, "slow.csv")))
    try writer.write(contentsOf: Data("half".utf8))
    try await passOver(place, runs: 1)
    #expect(place.exists("inbox/slow.csv"))
    try writer.write(contentsOf: Data(" whole".utf8))
    try writer.close()
    let runs = try await place.ended(2)
    #expect(place.text("var/done/\(runs[1].id)/slow.csv") == "half whole")
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `I03 a writer that closes and opens again starts the settling again`() async throws {
    let place = try place("settle: 400ms\n")
    let agent = try await place.up()
    let path = create(place, "a.csv")
    for part in ["one", " two", " three"] {
      let writer = try #require(FileHandle(forWritingAtPath: path))
      try writer.seekToEnd()
      try writer.write(contentsOf: Data(part.utf8))
      try writer.close()
    }
    let runs = try await place.ended(1)
    #expect(place.text("var/done/\(runs[0].id)/a.csv") == "one two three")
    #expect(try await place.stop(agent).code == 0)
  }

  /// Writers that close, and open again at the very moment of the claim: what they hold then lies in `var/work/`.
  @Test func `I03 I08 a writer that opens a drop while it is claimed is waited for`() async throws {
    let place = try ScenarioWorkspace(settings: "settle: 30ms\nconcurrency: 4\n")
    try place.pipeline(stages: [
      ("copy", "cat \"$1\" > seen; echo '{\"outputs\":[{\"name\":\"seen\",\"path\":\"seen\"}]}'")
    ])
    let text = place.text("pipelines/p.yaml").replacing("p-copy.sh\"]", with: "p-copy.sh\", \"${input}\"]")
    try place.write("pipelines/p.yaml", text)
    let agent = try await place.up()
    let writers = try ScenarioProgram(
      ["/usr/bin/env", "python3", "-c", Self.writers, place.path("inbox")],
      environment: ProcessInfo.processInfo.environment, logs: place.path("logs/writers"))
    let ended = try await writers.end()
    #expect(ended.code == 0, "\(ended.complaints)")
    let again = Int(ended.output.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
    let runs = try await place.ended(80)
    var tails = 0
    for run in runs {
      let name = try #require(run.drop?.name.text)
      let done = place.text("var/done/\(run.id)/\(name)")
      #expect(place.text("var/runs/\(run.id)/copy/seen") == done, "run \(run.number) was read before its writer ended")
      if done.hasSuffix(" tail") { tails += 1 }
    }
    #expect(runs.count == 80 && tails == again)
    #expect(try await place.stop(agent).code == 0)
  }

  /// Says how many drops were still there to be opened again.
  private static let writers = """
    import os, random, sys, threading, time
    random.seed(7)
    again = []
    def write(n):
        path = os.path.join(sys.argv[1], f"{n}.csv")
        with open(path, "w") as file: file.write("head")
        time.sleep(random.uniform(0.025, 0.06))
        try: fd = os.open(path, os.O_WRONLY | os.O_APPEND)
        except FileNotFoundError: return
        again.append(n)
        time.sleep(0.15)
        os.write(fd, b" tail")
        os.close(fd)
    for round in range(4):
        threads = [threading.Thread(target=write, args=(round * 20 + n,)) for n in range(20)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
    print(len(again))
    """

  @Test func `I04 an empty drop is waited for and then run`() async throws {
    let place = try place("settle_empty: 200ms\n")
    _ = create(place, "empty.csv")
    #expect(try await place.penstock("up", "--once").code == 0)
    let run = try #require(try await place.runs().first)
    #expect(run.state == .done && run.drop?.bytes == 0)
  }

  @Test func `I05 a sparse file of 10 GB is claimed by rename`() async throws {
    let place = try place()
    let path = create(place, "big.dat")
    #expect(truncate(path, 10 << 30) == 0)
    try place.pipeline(inbox: "*.dat", stages: [("only", "exit 2")])
    let agent = try await place.up()
    try await until("the claim; \(place.tail)") { try await !place.runs().isEmpty }
    let run = try #require(try await place.runs().first)
    #expect(run.drop?.bytes == 10 << 30)
    agent.signal(SIGKILL)
    _ = try await agent.end()
  }

  @Test func `I06 I07 the same name and content twice are two runs, and neither overwrites the other`() async throws {
    let place = try place()
    let agent = try await place.up()
    for n in 1...3 {
      try place.drop("a.csv", n < 3 ? "same" : "other")
      try await place.ended(n)
    }
    let runs = try await place.runs()
    #expect(runs.map { place.text("var/done/\($0.id)/a.csv") } == ["same", "same", "other"])
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `I08 of a drop that is renamed over while it settles each content is whole`() async throws {
    let place = try place("settle: 300ms\n")
    let agent = try await place.up()
    try place.write("inbox/a.csv", "old old old")
    try place.drop("a.csv", "new")
    let runs = try await place.ended(1)
    #expect(Set(runs.map { place.text("var/done/\($0.id)/a.csv") }).isSubset(of: ["old old old", "new"]))
    #expect(runs.last.map { place.text("var/done/\($0.id)/a.csv") } == "new")
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `I09 a hard link is held, and runs when the other link is gone`() async throws {
    let place = try place("rescan: 1s\n")
    try place.write("elsewhere.csv", "x")
    #expect(link(place.path("elsewhere.csv"), place.path("inbox/a.csv")) == 0)
    let agent = try await place.up()
    try await waitForHold(place, "a.csv", "2 hard links")
    #expect(unlink(place.path("elsewhere.csv")) == 0)
    let runs = try await place.ended(1)
    #expect(runs[0].state == .done)
    #expect(place.logged("drop is held").count == 1)
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `I10 I11 links, pipes and sockets go to quarantine without being opened`() async throws {
    let place = try place()
    try place.write("secret", "do not read")
    #expect(symlink(place.path("secret"), place.path("inbox/link.csv")) == 0)
    #expect(symlink("nowhere", place.path("inbox/dangling.csv")) == 0)
    #expect(mkfifo(place.path("inbox/pipe.csv"), 0o600) == 0)
    try makeSocket(place.path("inbox/socket.csv"))
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
    let place = try place()
    try place.write("inbox/folder.csv/inner.csv", "x")
    try place.drop("a.csv")
    #expect(try await place.penstock("up", "--once").code == 0)
    #expect(place.text("inbox/folder.csv/inner.csv") == "x")
    #expect(place.logged("drop is held").first?["reason"]?.string?.contains("directory") == true)
    #expect(try await place.runs().count == 1)
  }

  @Test func `I14 (j) any name runs once, is kept byte for byte and is nowhere obeyed`() async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(inbox: "*", stages: [("only", "cat \"$1\" >/dev/null; cat >envelope.json")], more: "")
    let text = place.text("pipelines/p.yaml").replacing("p-only.sh\"]", with: "p-only.sh\", \"${input}\"]")
    try place.write("pipelines/p.yaml", text)
    var names: [[UInt8]] = [
      [0xFF, 0xFE, 0x2E, 0x63], Array("new\nline".utf8), Array("esc\u{1B}[2J".utf8), Array("caf\u{E9}".utf8),
      Array("cafe\u{301}".utf8), Array("-rf".utf8), Array("$(touch OWNED)".utf8),
      Array("`touch OWNED`;touch OWNED".utf8),
      Array(repeating: 0x61, count: 255), Array("%s%n".utf8), Array("${input}".utf8), Array(" ".utf8),
      Array("\u{202E}txt.exe".utf8), Array("..a".utf8.reversed()), Array("'\"\\".utf8), Array("reason.json".utf8),
    ]
    for (n, name) in names.enumerated() {
      let file = FileName(name)
      let made = (Array("\(place.home)/inbox/".utf8) + file.bytes + [0]).withUnsafeBufferPointer {
        $0.withMemoryRebound(to: CChar.self) { name in
          name.baseAddress.map { open($0, O_WRONLY | O_CREAT | O_EXCL, 0o644) } ?? -1
        }
      }
      #expect(made >= 0)
      _ = "\(n)".withCString { write(made, $0, strlen($0)) }
      close(made)
    }
    let up = try await place.penstock("up", "--once")
    #expect(up.code == 0, "\(up.output)")
    let runs = try await place.runs()
    #expect(runs.count == names.count && runs.allSatisfy { $0.state == .done })
    #expect(Set(runs.compactMap { $0.drop?.name.bytes }) == Set(names))
    names.removeAll()
    #expect(!up.output.contains("\u{1B}[2J") && !up.output.contains("\u{202E}"))
    let owned = try ScenarioProgram(
      ["/usr/bin/find", place.home, "-name", "OWNED"], environment: [:], logs: place.path("logs/find"))
    #expect(try await owned.end().output.isEmpty)
    #expect(place.names("inbox").isEmpty && place.names("var/work").isEmpty)
  }

  @Test func `I14 a quarantined drop called reason.json keeps its name and its reason`() async throws {
    let place = try place()
    #expect(mkfifo(place.path("inbox/reason.json"), 0o600) == 0)
    #expect(try await place.penstock("up", "--once").code == 1)
    let run = try #require(try await place.runs().first)
    #expect(place.names("var/quarantine/\(run.id)") == ["reason-of-quarantine.json", "reason.json"])
    var status = stat()
    #expect(lstat(place.path("var/quarantine/\(run.id)/reason.json"), &status) == 0)
    #expect(status.st_mode & S_IFMT == S_IFIFO)
  }

  @Test func `I15 names of what is on its way are left alone until they are renamed`() async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(inbox: "*", stages: [("only", "exit 0")])
    let passed = [
      ".hidden", "a.part", "a.crdownload", "a.filepart", "a.tmp", "a~", ".~lock.a#", "4913", ".nfs0001", ".a.AbC123",
    ]
    for name in passed { try place.write("inbox/" + name, "x") }
    #expect(try await place.penstock("up", "--once").code == 0)
    #expect(try await place.runs().isEmpty)
    #expect(Set(place.names("inbox")) == Set(passed))
    #expect(rename(place.path("inbox/a.part"), place.path("inbox/a")) == 0)
    #expect(try await place.penstock("up", "--once").code == 0)
    #expect(try await place.runs().map(\.state) == [.done])
  }

  @Test(.enabled(if: geteuid() == 0, "needs root to become someone else"))
  func `I16 a drop that may not be read is waited for, and runs when it may be`() async throws {
    let place = try place()
    try place.write("inbox/closed.csv", "x", mode: 0o000)
    try handOver(place)
    let agent = try await place.up(wrapped: Self.plainUser)
    try place.drop("marker.csv")
    chown(place.path("inbox/marker.csv"), 65534, 65534)
    try await place.ended(1)
    #expect(place.exists("inbox/closed.csv"))
    #expect(chmod(place.path("inbox/closed.csv"), 0o600) == 0)
    let runs = try await place.ended(2)
    #expect(runs.map(\.state) == [.done, .done])
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `I17 a drop that is taken away while it settles is forgotten`() async throws {
    let place = try place("settle: 300ms\n")
    let agent = try await place.up()
    for n in 0..<20 {
      try place.write("inbox/\(n).csv", "x")
      if n % 2 == 0 { unlink(place.path("inbox/\(n).csv")) }
    }
    try await place.ended(10)
    try await passOver(place, runs: 11)
    #expect(try await place.runs().count == 11)
    #expect(place.names("var/work").isEmpty)
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `I19 17,000 drops that came while the agent was stopped are all found`() async throws {
    let place = try ScenarioWorkspace(settings: "concurrency: 2\n")
    // no pipeline takes them: what is counted is whether they are seen
    let agent = try await place.up()
    try place.drop("first.csv")
    try await place.waitForLog("no pipeline takes this drop; it stays in the inbox")
    agent.signal(SIGSTOP)
    for n in 0..<17_000 {
      close(open(place.path("inbox/\(n).csv"), O_WRONLY | O_CREAT | O_CLOEXEC, 0o644))
    }
    agent.signal(SIGCONT)
    try await until(within: .seconds(50), "17,001 unmatched drops; \(place.tail)") {
      place.bytes("var/logs/agent.ndjson").split(separator: 0x0A).count {
        $0.firstRange(of: Data("it stays in the inbox".utf8)) != nil
      } >= 17_001
    }
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `I22 times of the future and of 1970 change nothing`() async throws {
    let place = try place()
    for (name, seconds) in [("future.csv", 4_000_000_000), ("past.csv", 0)] {
      try place.write("inbox/" + name, "x")
      var times = [timeval(tv_sec: seconds, tv_usec: 0), timeval(tv_sec: seconds, tv_usec: 0)]
      #expect(utimes(place.path("inbox/" + name), &times) == 0)
    }
    #expect(try await place.penstock("up", "--once").code == 0)
    #expect(try await place.runs().map(\.state) == [.done, .done])
  }

  @Test func `I26 a drop that is swapped for a link before the claim is not followed`() async throws {
    let place = try place("settle: 1s\n")
    try place.write("secret", "do not read")
    let agent = try await place.up()
    try place.write("inbox/a.csv", "x")
    #expect(symlink(place.path("secret"), place.path("inbox/.swap")) == 0)
    #expect(rename(place.path("inbox/.swap"), place.path("inbox/a.csv")) == 0)
    let runs = try await place.ended(1)
    #expect(runs.map(\.state) == [.quarantined])
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `an unmatched drop stays, is said once, and runs when a pipeline comes to match it`() async throws {
    let place = try place()
    try place.write("inbox/prices.txt", "x")
    let agent = try await place.up()
    try await place.waitForLog("no pipeline takes this drop; it stays in the inbox") { $0["nearest"] == JSON.null }
    try place.pipeline("other", inbox: "*.json", stages: [("only", "exit 0")])
    try await place.waitForLog("pipeline loaded") { $0["name"] == "other" }
    try await passOver(place, runs: 1)
    #expect(place.exists("inbox/prices.txt"))
    try place.pipeline("texts", inbox: "*.txt", stages: [("only", "exit 0")])
    let runs = try await place.ended(2)
    #expect(runs.last?.pipeline == "texts" && runs.last?.state == .done)
    #expect(place.logged("no pipeline takes this drop; it stays in the inbox").count == 1)
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `drops that lay there before the start are found`() async throws {
    let place = try place()
    for n in 0..<5 { try place.write("inbox/\(n).csv", "x") }
    #expect(try await place.penstock("up", "--once").code == 0)
    #expect(try await place.runs().count == 5)
  }

  @Test func `put drops safely with and without an agent, and never over a drop that waits`() async throws {
    let place = try place()
    try place.write("data/a.csv", "whole")
    #expect(try await place.penstock("put", place.path("data/a.csv")).code == 0)
    let again = try await place.penstock("put", place.path("data/a.csv"))
    #expect(again.code == 2 && again.complaints.contains("still waiting in the inbox"))
    #expect(place.names("inbox") == ["a.csv"])
    #expect(try await place.penstock("up", "--once").code == 0)
    let run = try #require(try await place.runs().first)
    #expect(place.text("var/done/\(run.id)/a.csv") == "whole" && place.text("data/a.csv") == "whole")
  }

  // MARK: -

  static let plainUser = ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]

  private func handOver(_ place: ScenarioWorkspace) throws {
    let chown = try ScenarioProgram(
      ["/usr/bin/chown", "-R", "65534:65534", place.home], environment: [:], logs: place.path("logs/chown"))
    while chown.isRunning { usleep(2000) }
  }

  private func create(_ place: ScenarioWorkspace, _ name: String) -> String {
    close(open(place.path("inbox/" + name), O_WRONLY | O_CREAT | O_CLOEXEC, 0o644))
    return place.path("inbox/" + name)
  }

  private func makeSocket(_ path: String) throws {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
    let fd = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(fd) }
    let bound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(fd, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
    guard bound == 0 else { throw ScenarioFailure("cannot make a socket: \(String(cString: strerror(errno)))") }
  }
}
