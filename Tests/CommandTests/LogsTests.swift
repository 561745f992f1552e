import Core
import Foundation
import Store
import Testing

@Suite(.timeLimit(.minutes(2))) struct LogsTests {
  private func record(_ time: String, _ message: String, _ more: String = "", level: String = "info")
    -> String
  {
    "{\"time\":\"2025-11-20T\(time).000Z\",\"level\":\"\(level)\",\"message\":\"\(message)\"\(more)}\n"
  }

  private func scene(state: RunState? = .done) async throws -> Scene {
    let scene = try Scene()
    let past = try Past(scene)
    let run = try await past.run(1, state: state)
    try past.close()
    let of = ",\"number\":1,\"pipeline\":\"fx\""
    try scene.file(
      "var/runs/\(run.id.text)/log.ndjson",
      record("12:01:00", "run started", of + ",\"drop\":\"fx.csv\",\"stages\":[\"clean\",\"train\"]")
        + record(
          "12:01:01", "stage started",
          of
            + ",\"stage\":\"clean\",\"attempt\":1,\"granularity\":\"medium\",\"sample\":0.2,\"granularity_reason\":\"big and slow\""
        )
        + record(
          "12:01:02", "output", of + ",\"stage\":\"clean\",\"attempt\":1,\"line\":\"50 % \\u001b[31mof it\"")
        + record(
          "12:01:03", "stage ended",
          of
            + ",\"stage\":\"train\",\"attempt\":2,\"state\":\"failed\",\"wall_s\":2.5,\"cpu_s\":1.25,\"rss_bytes\":1048576,\"reason\":\"exit 1\"",
          level: "error")
        + record("12:02:30", "run ended", of + ",\"state\":\"done\",\"seconds\":90", level: "notice"))
    return scene
  }

  @Test func `a run's log is told in sentences`() async throws {
    try await scene().expect(
      "logs", "last",
      stdout: """
        12:01:00   #1 fx started for fx.csv, 2 stages
        12:01:01   #1 clean started at medium (sampled data) 20%: big and slow
        12:01:02   #1 clean │ 50 % \\x1b[31mof it
        12:01:03 ✗ #1 train (attempt 2) failed after 2.5s (1.3s CPU, 1.0 MiB): exit 1
        12:02:30 ✓ #1 fx done after 1m30s

        """)
  }

  @Test func `stage, level, time and number of lines choose`() async throws {
    let scene = try await scene()
    try await scene.expect(
      "logs", "1", "--stage", "train", "--level", "warn",
      stdout: "12:01:03 ✗ #1 train (attempt 2) failed after 2.5s (1.3s CPU, 1.0 MiB): exit 1\n")
    try await scene.expect(
      "logs", "1", "--since", "2025-11-20 12:02", stdout: "12:02:30 ✓ #1 fx done after 1m30s\n")
    try await scene.expect("logs", "1", "-n", "1", stdout: "12:02:30 ✓ #1 fx done after 1m30s\n")
    try await scene.expect("logs", "1", "--stage", "x", stderr: "run 1 (done) has no such lines in its log\n")
    let bad = try await scene.ask("logs", "1", "--since", "soon")
    #expect(bad.code == 2)
    #expect(
      bad.complaints.hasPrefix("penstock: --since: `soon` is no time: write how long ago (`10m`, `2h`)"))
  }

  @Test func `programs get the records as they are`() async throws {
    let lines = try await scene().ask("logs", "1", "--json").output.split(separator: "\n")
    #expect(lines.count == 5)
    let first = try JSON(parsing: Data(lines[0].utf8))
    #expect(first["message"]?.string == "run started")
    #expect(first["drop"]?.string == "fx.csv")
  }

  @Test func `an agent that never ran has no log`() async throws {
    try await Scene().expect("logs", stderr: "the agent has logged nothing yet: `penstock up` starts it\n")
  }

  @Test(arguments: [(RunState.done, Int32(0)), (.failed, 1), (.cancelled, 1)])
  func `following a run that ended gives its exit code`(state: RunState, code: Int32) async throws {
    let ended = try await scene(state: state).ask("logs", "1", "-f")
    #expect(ended.code == code)
    #expect(ended.output.hasSuffix("done after 1m30s\n"))
  }

  @Test func `following goes on to the end of the run, before its log is there and across a new file`()
    async throws
  {
    let scene = try Scene()
    let past = try Past(scene)
    let run = try await past.run(1, state: nil)
    let path = "var/runs/\(run.id.text)/log.ndjson"
    let follower = try scene.start(["logs", "1", "-f"])
    try await until("it says that no agent runs") { follower.text.contains("no agent runs: run 1 goes on") }
    try scene.file(path, record("12:01:00", "one"))
    try await until("the first line") { follower.text.contains("one\n") }
    try FileManager.default.moveItem(atPath: scene.path(path), toPath: scene.path(path + ".1"))
    try scene.file(path, record("12:01:01", "two"))
    try await until("the line of the new file") { follower.text.contains("two\n") }
    #expect(follower.isRunning)
    let attempt = try #require(try await past.store.reader.attempts(of: run.id).first)
    var closed = attempt
    closed.state = .ok
    closed.ended = Past.noon
    try await past.store.advance(
      .init(run: run.id, at: Past.noon, closed: [closed], turn: .ends(.init(.done))))
    let ended = try await follower.end()
    #expect(ended.code == 0)
    #expect(ended.output == "12:01:00   one\n12:01:01   two\n")
    try past.close()
  }
}
