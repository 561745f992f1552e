import Core
import Foundation
import TestSupport
import Testing

/// Stages of one's own: the ones of docs/stages.md at work, and a manifest to begin with.
@Suite(.timeLimit(.minutes(2))) struct StageDescribeTests {
  private static let docs =
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path + "/docs/stages.md"

  /// The first block of a language that begins so.
  private func block(_ language: String, beginning: String) throws -> String {
    let text = try String(contentsOfFile: Self.docs, encoding: .utf8)
    let blocks = text.components(separatedBy: "```\(language)\n").dropFirst().compactMap {
      $0.components(separatedBy: "```").first
    }
    return try #require(blocks.first { $0.hasPrefix(beginning) })
  }

  private func pipeline(_ place: ScenarioWorkspace, _ stage: String) throws {
    try place.write("pipelines/p.yaml", "pipeline: { name: p }\ntrigger: { inbox: \"*.csv\" }\nstages: [ \(stage) ]\n")
  }

  @Test func `the shell stage of the docs has fewer than 15 lines, and does what it says`() async throws {
    let place = try ScenarioWorkspace()
    let program = try block("sh", beginning: "#!/bin/sh\n# Drops repeated lines")
    #expect(program.split(separator: "\n").count < 15)
    try place.write("stages/own/dedupe.sh", program, mode: 0o755)
    try pipeline(place, "{ name: dedupe, run: [\"./stages/own/dedupe.sh\", \"${input}\"] }")
    try place.drop("a.csv", "h\n1\n2\n1\n")
    #expect(try await place.penstock("up", "--once").code == 0)
    var run = try #require(try await place.runs().last)
    #expect(place.text("var/runs/\(run.id)/dedupe/unique.csv") == "h\n1\n2\n")
    #expect(try await place.attempts(run).first?.metrics == ["rows": 2])
    try place.write("stages/own/dedupe.yaml", try block("yaml", beginning: "stage: own/dedupe"))
    try pipeline(place, "{ name: dedupe, uses: own/dedupe }")
    try place.drop("b.csv", "h\n")
    #expect(try await place.penstock("up", "--once").code == 1)
    run = try #require(try await place.runs().last)
    #expect(run.reason == "stage `dedupe` failed: no rows are left")
  }

  @Test func `the Python stage of the docs does what it says`() async throws {
    let place = try ScenarioWorkspace()
    try place.write(
      "stages/own/lines.py", try block("python", beginning: "#!/usr/bin/env python3\nimport json, sys"), mode: 0o755)
    try pipeline(place, "{ name: lines, run: [\"./stages/own/lines.py\"] }")
    try place.drop("a.csv", "1\n2\n3\n")
    #expect(try await place.penstock("up", "--once").code == 0)
    let run = try #require(try await place.runs().last)
    #expect(try await place.attempts(run).first?.metrics == ["lines": 3])
  }

  @Test func `describe writes a manifest that check accepts and a pipeline can use`() async throws {
    let place = try ScenarioWorkspace()
    try place.script(
      "stages/own/count.sh",
      "# Counts \"lines\": all of them.\ntouch \"$PENSTOCK_HOME/ran\"; printf '{\"metrics\":{\"lines\":%d}}' \"$(wc -l <\"$1\")\"; echo \"$2\" >&2"
    )
    let told = try await ScenarioProgram.describe(place, "./stages/own/count.sh", "${input}", "--by=${params.by}")
    #expect(told.code == 0 && told.complaints.isEmpty, "\(told.complaints)")
    #expect(!place.exists("ran"))
    for line in [
      "stage: own/count", "summary: \"Counts \\\"lines\\\": all of them\"",
      "run: [\"${kit}/own/count.sh\", \"${input}\", \"--by=${params.by}\"]",
      "params: { type: object, additionalProperties: false, properties: { by: { description: \"\" } } }",
      "inputs: [input]", "files: [\"own/count.sh\"]",
    ] {
      #expect(told.output.contains("\n" + line + "\n"), "\(line)")
    }
    try place.write("stages/own/count.yaml", told.output)
    try pipeline(place, "{ name: count, uses: own/count, params: { by: row } }")
    let checked = try await place.penstock("check")
    #expect(checked.code == 0, "\(checked.output)")
    try place.drop("a.csv", "1\n2\n")
    #expect(try await place.penstock("up", "--once").code == 0)
    let run = try #require(try await place.runs().last)
    #expect(try await place.attempts(run).first?.metrics == ["lines": 2])
    let shown = try await ScenarioProgram.stages(place, "show", "own/count").output
    #expect(shown.contains("files     own/count.sh\n") && shown.contains("reads     input\n"), "\(shown)")
  }

  @Test func `describe says what would not run, and finds a name`() async throws {
    let place = try ScenarioWorkspace()
    let missing = try await ScenarioProgram.describe(place, "--as", "my/thing", "./no such.sh")
    #expect(missing.code == 0 && missing.output.contains("\nstage: my/thing\n"))
    #expect(missing.complaints == "penstock: `no such.sh` would not run: no such file\n")
    try place.write("bin/my tool.py", "print()", mode: 0o755)
    let outside = try await ScenarioProgram.describe(place, "python3", "bin/my tool.py")
    #expect(outside.output.contains("\nstage: own/my-tool\n") && outside.output.contains("\nfiles: []\n"))
    #expect(outside.output.contains("run: [\"python3\", \"${home}/bin/my tool.py\"]\n"), "\(outside.output)")
    let bad = try await ScenarioProgram.describe(place, "--as", "no good", "true")
    #expect(bad.code == 2 && bad.complaints.contains("`--as no good`"))
  }

  @Test func `parameters are checked against the schema at every depth, each at its place`() async throws {
    let place = try ScenarioWorkspace()
    try place.write(
      "stages/my/deep.yaml",
      """
      stage: my/deep
      version: 1.0.0
      summary: "deep"
      run: ["true"]
      params:
        type: object
        additionalProperties: false
        properties:
          columns: { type: array, items: { type: object, required: [name], properties: { name: { type: string }, bins: { type: integer, minimum: 2 } }, additionalProperties: false } }
          limits: { type: object, additionalProperties: { type: number } }

      """)
    try place.write(
      "pipelines/p.yaml",
      """
      pipeline: { name: p }
      stages:
        - name: deep
          uses: my/deep
          params:
            columns:
              - { name: a, bins: 1 }
              - { bins: 3, nmae: b }
            limits: { low: 1, high: much }

      """)
    let told = try await place.penstock("check").output
    for words in [
      "p.yaml:7:28: error: `bins`: expected at least 2, got `1`",
      "p.yaml:8:22: error: `my/deep` has no parameter `nmae`",
      "p.yaml:8:11: error: missing parameter `name`", "p.yaml:9:31: error: `high`: expected a number",
    ] {
      #expect(told.contains(words), "\(words)\n\(told)")
    }
  }
}

extension ScenarioProgram {
  /// `penstock stages describe …`, asked in the workspace.
  fileprivate static func describe(_ place: ScenarioWorkspace, _ words: String...) async throws -> Ended {
    try await stages(place, ["describe"] + words)
  }

  fileprivate static func stages(_ place: ScenarioWorkspace, _ words: String...) async throws -> Ended {
    try await stages(place, words)
  }

  private static func stages(_ place: ScenarioWorkspace, _ words: [String]) async throws -> Ended {
    try await ScenarioProgram(
      ["/bin/sh", "-c", "cd \"$0\"; exec \"$@\"", place.home, try builtProduct("penstock"), "stages"] + words,
      environment: ["PATH": "/usr/bin:/bin", "PENSTOCK_KIT": place.home + "/stages"],
      logs: place.path("logs/stages-\(UUID().uuidString)")
    ).end()
  }
}
