import Core
import Foundation
import Glibc
import Testing

/// Drops whose writers are slow, come back, or write over them: the ids are those of faults.md.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ScenarioWriterTests {
  @Test func `I01 a file that is open for writing is not claimed before it is closed`() async throws {
    let place = try ScenarioWorkspace.taking()
    let agent = try await place.up()
    let writer = try #require(FileHandle(forWritingAtPath: place.create("slow.csv")))
    try writer.write(contentsOf: Data("half".utf8))
    try await place.passOver(runs: 1)
    #expect(place.exists("inbox/slow.csv"))
    try writer.write(contentsOf: Data(" whole".utf8))
    try writer.close()
    let runs = try await place.ended(2)
    #expect(place.text("var/done/\(runs[1].id)/slow.csv") == "half whole")
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `I02 a writer that never closes is told of, and its drop is never read`() async throws {
    let place = try ScenarioWorkspace.taking("stuck_writer: 300ms\n")
    let agent = try await place.up()
    let writer = try #require(FileHandle(forWritingAtPath: place.create("slow.csv")))
    var written = 0
    while place.logged("drop is held").isEmpty, written < 400 {
      try writer.write(contentsOf: Data("x".utf8))
      written += 1
      try await Task.sleep(for: .milliseconds(20))
    }
    try await place.waitForHold("slow.csv", "its writer has had it open for more than 300ms")
    #expect(try await place.runs().isEmpty && place.exists("inbox/slow.csv"))
    try writer.close()
    let run = try #require(try await place.ended(1).first)
    #expect(run.drop?.bytes == written)
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `I03 a writer that closes and opens again starts the settling again`() async throws {
    let place = try ScenarioWorkspace.taking("settle: 400ms\n")
    let agent = try await place.up()
    let path = place.create("a.csv")
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

  /// Of another user's file the kernel does not tell whether it is open: only the quiet says that it is whole.
  @Test(.enabled(if: geteuid() == 0, "needs root to become someone else"))
  func `I03 a drop that is written to after its claim is tainted, and goes to quarantine unread`() async throws {
    let place = try ScenarioWorkspace.taking("settle: 20ms\n")
    try place.script("hooks/before-run.d/10-wait", "while [ ! -e \"$PENSTOCK_HOME/go\" ]; do sleep 0.02; done")
    try place.handOver()
    let agent = try await place.up(wrapped: ScenarioWorkspace.plainUser)
    let writer = try #require(FileHandle(forWritingAtPath: place.create("a.csv")))
    try writer.write(contentsOf: Data("half".utf8))
    try await until("the claim; \(place.tail)") { try await !place.runs().isEmpty }
    try writer.write(contentsOf: Data(" whole".utf8))
    try writer.close()
    try place.write("go", "")
    let run = try #require(try await place.ended(1).first)
    #expect(run.state == .quarantined)
    #expect(run.reason?.contains("changed after it was claimed: it had 4 B and has 10 B") == true, "\(run)")
    #expect(try await place.attempts(run).isEmpty)
    #expect(place.text("var/quarantine/\(run.id)/a.csv") == "half whole")
    #expect(place.text("var/quarantine/\(run.id)/reason.json").contains("changed after it was claimed"))
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

  @Test func `I08 of a drop that is renamed over while it settles each content is whole`() async throws {
    let place = try ScenarioWorkspace.taking("settle: 300ms\n")
    let agent = try await place.up()
    try place.write("inbox/a.csv", "old old old")
    try place.drop("a.csv", "new")
    let runs = try await place.ended(1)
    #expect(Set(runs.map { place.text("var/done/\($0.id)/a.csv") }).isSubset(of: ["old old old", "new"]))
    #expect(runs.last.map { place.text("var/done/\($0.id)/a.csv") } == "new")
    #expect(try await place.stop(agent).code == 0)
  }
}
