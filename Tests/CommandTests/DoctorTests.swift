import Foundation
import Glibc
import Testing

@Suite(.timeLimit(.minutes(2))) struct DoctorTests {
  private func state(_ subject: String, _ ended: ScenarioProgram.Ended) -> String? {
    ended.list("checks").first { $0["subject"] as? String == subject }?["state"] as? String
  }

  @Test func `a sound workspace is well`() async throws {
    let scene = try Scene()
    let page = try await scene.ask("doctor")
    #expect(page.code == 0, "\(page.output)")
    #expect(page.output.contains("✓ spawner      runs programs\n"), "\(page.output)")
    #expect(
      page.output.contains("! agent        does not run\n               → penstock up\n"), "\(page.output)")
    #expect(page.output.contains("all is well; "))
    let checks = try await scene.ask("doctor", "--json")
    for subject in [
      "directories", "settings", "database", "inotify", "inbox", "var", "claim", "leases", "spawner", "hooks",
      "clock",
    ] {
      #expect(state(subject, checks) == "ok", "\(subject): \(checks.output)")
    }
  }

  @Test func `what is impaired comes with its remedy`() async throws {
    let scene = try Scene([
      "hooks/before-run.d/10-x": "no program", "etc/penstock.yaml": "reserve: 900TiB\nsettle: 2\n",
    ])
    rmdir(scene.path("pipelines"))
    let page = try await scene.ask("doctor")
    #expect(page.code == 4)
    #expect(page.output.contains("✗ pipelines  is missing\n"), "\(page.output)")
    #expect(page.output.contains("→ mkdir pipelines\n"))
    #expect(
      page.output.contains(
        "✗ hook       hooks/before-run.d/10-x does not run: is not executable: chmod +x it\n"),
      "\(page.output)")
    #expect(page.output.contains("✗ settings   etc/penstock.yaml:2:9: "), "\(page.output)")
    #expect(page.output.contains("3 things to mend"))
  }

  @Test func `a damaged database is found`() async throws {
    let scene = try Scene()
    try scene.file("var/state.db", String(repeating: "not a database", count: 1000))
    let checks = try await scene.ask("doctor", "--json")
    #expect(checks.code == 4)
    #expect(state("database", checks) == "bad")
  }
}
