import Core
import Testing

@Suite(.timeLimit(.minutes(2))) struct ShowTests {
  @Test func `a run is told whole`() async throws {
    let scene = try Scene()
    let past = try Past(scene)
    let run = try await past.run(1)
    try past.close()
    let id = run.id.text
    try scene.file("var/runs/\(id)/train/report.html", "x")
    try await scene.expect(
      "show", "last",
      stdout: """
        run 1  done after 1m30s
          pipeline  fx
          drop      fx.csv, 2.0 KiB
          began     2025-11-20 12:01:00, for a drop
          id        \(id)

        stages
          stage  state  level                        tries   wall    cpu    peak  metrics
          train  ok     fine (simplified algorithm)      1  1m30s  45.5s  64 MiB  accuracy 0.5625

        why these levels
          train  fine  asked for by hand

        files
          stage  name       size  path
          train  report  4.0 KiB  var/runs/\(id)/train/report.html

        report: var/runs/\(id)/train/report.html

        """)
    #expect(try await scene.ask("show", String(id.prefix(13))).output.hasPrefix("run 1  done"))
  }

  @Test func `a failure is told in full, with the end of what the stage wrote`() async throws {
    let scene = try Scene()
    let past = try Past(scene)
    let run = try await past.run(1, state: .failed, reason: "exit 1: no such column")
    try past.close()
    let lines = (1...12).map { n in
      "{\"time\":\"2025-11-20T12:01:00.000Z\",\"level\":\"info\",\"message\":\"output\",\"stage\":\"train\",\"line\":\"line \(n)\"}\n"
    }
    try scene.file("var/runs/\(run.id.text)/log.ndjson", lines.joined())
    let page = try await scene.ask("show", "1").output
    #expect(
      page.contains(
        """
        why it failed
          exit 1: no such column

          the end of what `train` wrote (`penstock logs 1 --stage train` has all):
            │ line 3
        """))
    #expect(page.contains("    │ line 12\n") && !page.contains("line 2\n"))
  }

  @Test func `programs get the keys that are promised`() async throws {
    let scene = try Scene()
    let past = try Past(scene)
    try await past.run(1)
    try past.close()
    let run = try await scene.ask("show", "1", "--json").json
    let keys: Set<String> = [
      "api", "id", "number", "pipeline", "state", "drop", "started", "ended", "reason", "stages",
    ]
    #expect(keys.isSubset(of: Set(run.keys)))
    #expect(run["drop"] as? String == "fx.csv")
    let stage = try #require((run["stages"] as? [[String: Any]])?.first)
    #expect(
      Set(["name", "state", "granularity", "granularity_reason", "attempts", "metrics", "hooks"]).isSubset(
        of: Set(stage.keys)))
    #expect(stage["granularity"] as? String == "fine")
    #expect(stage["granularity_reason"] as? String == "asked for by hand")
    let attempt = try #require((stage["attempts"] as? [[String: Any]])?.first)
    #expect(Set(["n", "state", "exit", "wall_s", "cpu_s", "rss_bytes"]).isSubset(of: Set(attempt.keys)))
    #expect(attempt["cpu_s"] as? Double == 45.5)
    #expect(attempt["rss_bytes"] as? Int == 64 << 20)
  }

  @Test func `a run that is not there is not found`() async throws {
    let scene = try Scene()
    let past = try Past(scene)
    try await past.run(1)
    try past.close()
    try await scene.expect(
      "show", "7", stderr: "penstock: there is no run `7`; `penstock runs` lists them\n", exit: 2)
  }
}
