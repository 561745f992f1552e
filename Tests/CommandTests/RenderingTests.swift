import Core
import Foundation
import Testing

@Suite(.timeLimit(.minutes(2))) struct RenderingTests {
  @Test func `a table keeps to the width it is given, and its last column goes on below itself`() async throws {
    let scene = try Scene()
    let past = try Past(scene)
    try await past.run(
      1, pipeline: "a-pipeline-of-a-long-name", drop: FileName("東京の為替レート.csv"), state: .failed,
      reason: "exit 1: the column `close` is missing in row 1200, and so is the column `open`")
    try past.close()
    for width in [60, 80, 100] {
      let lines = try await scene.ask("runs", environment: ["COLUMNS": "\(width)"]).output.split(
        separator: "\n")
      #expect(lines.count > 2)
      for line in lines { #expect(columns(line) <= width, "\(width): \(line)") }
      let words = lines.dropFirst().map { $0.split(separator: " ").joined(separator: " ") }.joined(separator: " ")
      #expect(words.contains("is missing in row 1200, and so is the column `open`"), "\(width): \(words)")
    }
    let wide = try await scene.ask("runs").output
    #expect(wide.contains("東京の為替レート.csv  2025-11-20 12:01  1m30s"))
    #expect(wide.contains("and so is the column `open`"))
    // the titles stand over their columns although the name is twice as wide as it has letters
    let lines = wide.split(separator: "\n")
    let title = try #require(lines[0].range(of: "started"))
    let time = try #require(lines[1].range(of: "2025-11-20"))
    #expect(columns(lines[0][..<title.lowerBound]) == columns(lines[1][..<time.lowerBound]))
  }

  /// East Asian letters are two wide, everything else here is one.
  private func columns(_ text: Substring) -> Int {
    text.unicodeScalars.reduce(0) { $0 + ((0x3000...0x9FFF).contains($1.value) ? 2 : 1) }
  }

  @Test func `nothing that others named reaches the terminal as it is`() async throws {
    let scene = try Scene([
      "pipelines/p.yaml":
        "pipeline: { name: p }\ntrigger: { inbox: \"*.csv\" }\nstages: [{ name: s, run: [\"true\"] }]\n"
    ])
    let evil = "ev\u{1B}[31mil\n\u{202E}.csv"
    try scene.file("inbox/" + evil, "x")
    try scene.file("inbox/other" + evil + ".x", "x")
    let past = try Past(scene)
    try await past.run(
      1, drop: FileName(evil), state: .failed, reason: "bad\u{1B}]0;title\u{07} thing\nsecond")
    try past.close()
    for command in ["runs", "status", "inbox", "show last"] {
      let words = try await scene.ask(command.split(separator: " ").map(String.init))
      #expect(
        !words.output.contains("\u{1B}") && !words.output.contains("\u{07}")
          && !words.output.contains("\u{202E}"), "\(command)")
      #expect(words.output.contains("ev\\x1b[31mil\\n\\u{202e}.csv"), "\(command): \(words.output)")
    }
  }

  @Test func `colours come only where they are wanted`() async throws {
    let scene = try Scene()
    let past = try Past(scene)
    try await past.run(1)
    try past.close()
    #expect(try await !scene.ask("runs").output.contains("\u{1B}"))
    #expect(
      try await scene.ask("runs", environment: ["CLICOLOR_FORCE": "1"]).output.contains(
        "\u{1B}[32mdone\u{1B}[0m"))
    let refused = ["CLICOLOR_FORCE": "1", "NO_COLOR": "1"]
    #expect(try await !scene.ask("runs", environment: refused).output.contains("\u{1B}"))
  }

  @Test func `levels are told with what they mean`() async throws {
    let scene = try Scene()
    let past = try Past(scene)
    try await past.run(1)
    try past.close()
    #expect(try await scene.ask("show", "1").output.contains("fine (simplified algorithm)"))
  }
}
