import Core
import Foundation
import Glibc
import Store
import Testing

/// gc: what is old goes, what is owed, needed or never named stays.
@Suite(.timeLimit(.minutes(5))) struct ClearTests {
  /// 14 done runs, one failed, one quarantined and not acknowledged, all a year old, with files, filed.
  private func scene(_ settings: String = "") async throws -> Scene {
    let scene = try Scene()
    try scene.file("etc/penstock.yaml", "reserve: 1MiB\n" + settings)
    let past = try Past(scene)
    for n in 1...16 {
      let state: RunState = n == 7 ? .failed : n == 3 ? .quarantined : .done
      let run = try await past.run(n, state: state, reason: state == .done ? nil : "why")
      try await past.store.filed([run.id])
      let place = state == .done ? "done" : state == .failed ? "failed" : "quarantine"
      try scene.file("var/\(place)/\(run.id)/fx.csv", "1234567890")
      try scene.file("var/runs/\(run.id)/train/report.html", String(repeating: "x", count: 1000))
      try scene.file("var/runs/\(run.id)/log.ndjson", String(repeating: "y", count: 500))
    }
    try past.close()
    return scene
  }

  private func names(_ scene: Scene, _ directory: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: scene.path(directory))) ?? []).sorted()
  }

  private func rows(_ scene: Scene) async throws -> Int {
    let counts = try await scene.ask("status", "--json").list("counts").compactMap { $0["count"] as? Int }
    let rows = try await scene.ask("runs", "--json", "--limit", "100").list("runs").count
    #expect(counts.reduce(0, +) == rows, "the counters are not true")
    return rows
  }

  @Test func `told to try, it only says what would go; then that and nothing else goes`() async throws {
    let scene = try await scene()
    let dry = try await scene.ask("gc", "--dry-run", "--json").json
    #expect(names(scene, "var/runs").count == 16)
    #expect(try await rows(scene) == 16)
    let gone = try await scene.ask("gc", "--json").json
    for key in ["runs", "artifacts", "done", "failed", "quarantine", "agent_logs"] {
      #expect(dry[key] as? NSObject == gone[key] as? NSObject && gone[key] != nil, "\(key): \(dry) \(gone)")
    }
    // the newest ten of each state stay, and the quarantine that nobody has acknowledged
    #expect(gone["runs"] as? Int == 4)
    #expect(try await rows(scene) == 12)
    // the files of the last run, and of the quarantine
    #expect(names(scene, "var/runs") == [Past.id(3).text, Past.id(16).text])
    #expect(names(scene, "var/done").count == 14 && names(scene, "var/failed").count == 1)
    let page = try await scene.ask("show", "15").output
    #expect(page.contains("none of them is there any more") && !page.contains("report: "), "\(page)")
    let again = try await scene.ask("gc")
    #expect(again.output.hasPrefix("nothing is old enough to go"), "\(again.output)")
  }

  @Test func `drops go only where the settings name them, but never the one that later runs read`() async throws {
    let scene = try await scene(
      "retention: { done: 30d, failed: 30d, quarantine: 30d, runs: null, artifacts: null, logs: null }\n")
    let words = try await scene.ask("gc").output.split(separator: " ").joined(separator: " ")
    #expect(words.contains("done drops 13 130 B var/done/"), "\(words)")
    #expect(names(scene, "var/done") == [Past.id(16).text] && names(scene, "var/failed").isEmpty)
    #expect(names(scene, "var/quarantine") == [Past.id(3).text])
    #expect(names(scene, "var/runs").count == 16)
    #expect(try await scene.ask("ack", "3").code == 0)
    #expect(try await scene.ask("gc").code == 0)
    #expect(names(scene, "var/quarantine").isEmpty)
    #expect(try await rows(scene) == 16)
  }

  @Test func `an agent at work does it on request, and half-made drops and old logs go too`() async throws {
    let scene = try await scene()
    let agent = try scene.start(["up"])
    try await until("the agent answers: \(agent.text)") {
      (try await scene.ask("status", "--json").json["agent"] as? [String: Any])?["state"] as? String == "running"
    }
    for (name, days) in [("inbox/.put-1-2", 2.0), ("inbox/.put-3-4", 0), ("var/logs/agent.ndjson.1", 20)] {
      try scene.file(name, "123")
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSinceNow: -days * 86400)], ofItemAtPath: scene.path(name))
    }
    let gone = try await scene.ask("gc", "--json").json
    #expect((gone["half_made"] as? [String: Int])?["count"] == 1)
    #expect((gone["agent_logs"] as? [String: Int])?["count"] == 1)
    #expect(gone["runs"] as? Int == 4)
    #expect(names(scene, "inbox") == [".put-3-4"] && !scene.exists("var/logs/agent.ndjson.1"))
    agent.signal(SIGTERM)
    #expect(try await agent.end().code == 0)
  }

  @Test func `killed at any moment it goes on the next time, and no row is without its words`() async throws {
    let scene = try await scene()
    for delay in [0, 4, 8, 12, 16, 24, 40] {
      let gc = try scene.start(["gc"])
      try await Task.sleep(for: .milliseconds(delay))
      gc.signal(SIGKILL)
      _ = try await gc.end()
      for run in try await scene.ask("runs", "--json", "--limit", "100").list("runs") {
        #expect(try await scene.ask("show", "\(run["number"] ?? "")").code == 0)
        break
      }
    }
    try await until("a lock that the killed one's programs let go of") { try await scene.ask("gc").code == 0 }
    #expect(try await rows(scene) == 12)
    #expect(names(scene, "var/runs") == [Past.id(3).text, Past.id(16).text])
  }
}
