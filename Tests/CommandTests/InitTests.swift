import Foundation
import Testing

@Suite(.timeLimit(.minutes(2))) struct InitTests {
  @Test func `a new workspace works at once`() async throws {
    let scene = try Scene(isWorkspace: false)
    let made = try await scene.ask("init", scene.path("new"))
    #expect(made.code == 0)
    #expect(
      made.output.hasPrefix(
        "made the workspace `HOME/new`, with a small pipeline that takes any `.csv`\n\nnext:\n"))
    #expect(made.output.contains("  penstock -C HOME/new put HOME/new/samples/rivers.csv  # drop a file\n"))
    let inside = ["PENSTOCK_HOME": scene.path("new")]
    try await scene.expect("check", environment: inside, stdout: "nothing is wrong; 2 files checked\n")
    try scene.file(
      "new/etc/penstock.yaml", scene.text("new/etc/penstock.yaml") + "settle_moved: 10ms\nreserve: 1MiB\n")
    try await scene.expect(
      "put", scene.path("new/samples/rivers.csv"), environment: inside, stderr: "put rivers.csv (148 B)\n")
    let up = try await scene.ask("up", "--once", environment: inside)
    #expect(up.code == 0, "\(up.output)\(up.complaints)")
    let shown = try await scene.ask("show", "last", "--json", environment: inside)
    let run = shown.json
    #expect(shown.complaints == "")
    #expect(run["state"] as? String == "done")
    #expect(run["drop"] as? String == "rivers.csv")
    let report = try #require(run["report"] as? String)
    #expect(scene.text("new/" + report).contains("<h1>5 rows, 3 columns</h1>"))
    #expect(scene.text("new/" + report).contains("<li>length_km</li>"))
  }

  @Test func `a workspace that is there is left as it is`() async throws {
    let scene = try Scene()
    try await scene.expect("init", scene.home, stdout: "`HOME` is a workspace already; nothing was changed\n")
    #expect(!scene.exists("hooks/README.md"))
  }

  @Test func `a directory with other things in it is refused`() async throws {
    let scene = try Scene(["full/mine.txt": "x"], isWorkspace: false)
    try await scene.expect(
      "init", scene.path("full"),
      stderr: """
        penstock: `HOME/full` is not empty and no workspace (it has 1 entry and no `etc/penstock.yaml`): name an empty \
        directory, or a new one

        """, exit: 2)
    try await scene.expect(
      "init", scene.path("full/mine.txt"),
      stderr: "penstock: `HOME/full/mine.txt` is a file: name a directory\n", exit: 2)
  }

  @Test func `nothing it writes names this machine, and the settings are those that are shipped`()
    async throws
  {
    let scene = try Scene(isWorkspace: false)
    _ = try await scene.ask("init", scene.path("new"))
    let files = try FileManager.default.subpathsOfDirectory(atPath: scene.path("new"))
    for file in files { #expect(!scene.text("new/" + file).contains(scene.home), "\(file)") }
    let checkout = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let shipped = try String(contentsOf: checkout.appending(path: "etc/penstock.yaml"), encoding: .utf8)
    #expect(scene.text("new/etc/penstock.yaml") == shipped)
  }

  @Test func `the example hook denies what is too large and lets the rest pass`() async throws {
    let scene = try Scene(isWorkspace: false)
    _ = try await scene.ask("init", scene.path("new"))
    let inside = ["PENSTOCK_HOME": scene.path("new")]
    let hook = "hooks/examples/size-limit.sh"
    let allowed = try await scene.ask("hooks", "test", "before-run", hook, environment: inside)
    #expect(allowed.code == 0 && allowed.output.hasPrefix("\(hook): allow after "), "\(allowed)")
    try scene.file("new/" + hook, scene.text("new/" + hook).replacing("100000000", with: "1000"))
    let denied = try await scene.ask("hooks", "test", "before-run", hook, "--json", environment: inside)
    #expect(denied.json["decision"] as? String == "deny")
    #expect(denied.complaints == "│ the drop has 1234 bytes, more than 100 MB\n")
  }
}
