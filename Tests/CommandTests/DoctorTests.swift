import Foundation
import Glibc
import Testing

@Suite(.timeLimit(.minutes(2))) struct DoctorTests {
  private func state(_ subject: String, _ ended: ScenarioProgram.Ended) -> String? {
    ended.list("checks").first { $0["subject"] as? String == subject }?["state"] as? String
  }

  @Test func `settings that changed after the agent began are told`() async throws {
    let place = try ScenarioWorkspace.taking()
    let agent = try await place.up()
    #expect(try await !place.penstock("doctor").output.contains("changed after the agent began"))
    try place.write("etc/penstock.yaml", place.text("etc/penstock.yaml") + "drain: 5s\n")
    let doctor = try await place.penstock("doctor")
    #expect(doctor.output.contains("etc/penstock.yaml changed after the agent began, which"), "\(doctor.output)")
    #expect(try await place.stop(agent).code == 0)
    #expect(try await !place.penstock("doctor").output.contains("changed after"))
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
    let database = try #require(checks.list("checks").first { $0["subject"] as? String == "database" })
    #expect((database["message"] as? String)?.contains("backup") == false, "\(database)")
    #expect((database["remedy"] as? String)?.contains("is damaged") == false, "\(database)")
  }

  @Test func `damage within a database is told on one line, and once`() async throws {
    let scene = try Scene()
    let past = try Past(scene)
    for n in 1...40 { try await past.run(n, reason: String(repeating: "x", count: 2000)) }
    try past.close()
    let file = open(scene.path("var/state.db"), O_RDWR)
    defer { close(file) }
    // the second half of the pages
    let size = Int(lseek(file, 0, SEEK_END))
    let zeros = [UInt8](repeating: 0, count: size / 8192 * 4096)
    #expect(pwrite(file, zeros, zeros.count, size - zeros.count) == zeros.count)
    let doctor = try await scene.ask("doctor")
    let lines = doctor.output.split(separator: "\n").map(String.init)
    #expect(doctor.code == 4 && !doctor.output.contains("\\n") && !doctor.output.contains("***"), "\(doctor.output)")
    #expect(lines.filter { $0.contains("is damaged: ") }.count == 1, "\(doctor.output)")
    let remedy = lines.firstIndex { $0.contains("is damaged: ") }.map { lines[$0 + 1] }
    #expect(remedy?.contains("→ there is no backup in ") == true, "\(doctor.output)")
  }
}
