import Foundation
import Testing

/// The program on a terminal of 80 columns: that of script(1).
@Suite(.timeLimit(.minutes(2))) struct ConsoleTests {
  private static let files = [
    "pipelines/p.yaml": """
    pipeline: { name: p }
    trigger: { inbox: "*.csv" }
    stages:
      - { name: first, run: ["true"] }
      - { name: second, run: ["sleep", "1.5"] }
      - { name: third, run: ["true"] }

    """
  ]

  private func onTerminal(_ scene: Scene, _ command: String) async throws -> String {
    let program = try ScenarioProgram(
      ["/usr/bin/script", "-qec", "stty cols 80 rows 24; \(command)", "/dev/null"],
      environment: [
        "PATH": "/usr/bin:/bin", "HOME": "/nowhere", "TZ": "UTC", "TERM": "xterm",
        "PENSTOCK_HOME": scene.home,
        "PENSTOCK_KIT": scene.path("kit"),
      ], logs: scene.path(".asked/terminal"))
    return try await program.end().output
  }

  @Test func `up draws the runs at work in place and leaves the terminal clean`() async throws {
    let scene = try Scene(Self.files)
    try scene.file("inbox/a.csv", "1")
    let text = try await onTerminal(scene, "\(try scene.program()) up --once")
    #expect(text.contains("\u{1B}[32m█████\u{1B}[0m\u{1B}[2m░░░░░░░░░░░\u{1B}[0m 1/3"), "\(text)")
    #expect(text.contains("\u{1B}[1m▸ second\u{1B}[0m"))
    // the times went on: the board was drawn over itself, two lines up
    #expect(text.contains("\u{1B}[2A\r"))
    #expect(text.contains("done after 1."))
    let end = try #require(text.range(of: "the agent has stopped"))
    #expect(!text[end.upperBound...].contains("█"))
  }

  @Test func `without a terminal up writes plain lines`() async throws {
    let scene = try Scene(Self.files)
    try scene.file("inbox/a.csv", "1")
    let ended = try await scene.ask("up", "--once")
    #expect(!ended.output.contains("\u{1B}") && !ended.output.contains("█"))
    #expect(ended.output.contains("#1 p started for a.csv, 3 stages\n"))
    #expect(ended.output.contains("#1 first started\n"))
  }

  @Test func `watching uses the second screen and gives it back when it is interrupted`() async throws {
    let scene = try Scene(Self.files)
    let text = try await onTerminal(
      scene, "timeout --foreground -s INT 2 \(try scene.program()) status --watch")
    #expect(text.hasPrefix("\u{1B}[?1049h\u{1B}[?25l\u{1B}[H"), "\(text)")
    #expect(text.contains("Ctrl-C ends this"))
    #expect(text.hasSuffix("\u{1B}[?25h\u{1B}[?1049l"), "\(text)")
    // drawn again at least once, over itself
    #expect(text.components(separatedBy: "\u{1B}[H").count > 2)
  }
}
