import ArgumentParser
import Core
import Engine
import Foundation
import Host
import Store

struct ExplainPolicy: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Says which level each stage would get now, and why; nothing is run.",
    discussion: "Hooks are not asked. What the stages would say of the data is taken from FILE and from what they said "
      + "last.")

  @OptionGroup var place: Place

  @Argument(help: "The pipeline.")
  var pipeline: String

  @Option(help: "The file that the run would be about.", completion: .file())
  var input: String?

  func run() async throws {
    let workspace = try place.workspace()
    let reading = try PolicyReading(workspace: workspace, place: place)
    guard let found = try await reading.pipelines().first(where: { $0.name == pipeline }) else {
      throw try await reading.unknown(pipeline)
    }
    let view = try await reading.view(of: found)
    var standing = view.standing
    if view.isStale {
      standing.verdict?.state = .demoted
      standing.verdict?.reason = view.changes.joined(separator: "; ")
      standing.verdict?.since = Date()
    }
    let explainer = Explainer(
      reader: reading.reader, thresholds: place.settings(workspace).settings.rules, pipeline: found)
    let stages = try await explainer.explain(try input.map(Self.look), policy: standing, now: Date())
    try place.give(ExplanationPage(pipeline: pipeline, stages: stages, input: input))
  }

  private static func look(_ path: String) throws -> Explainer.Input {
    var raw = RawArguments.standard()
    let bytes = raw.bytes(of: path)
    guard let size = RegularFile.bytes(at: path) else {
      throw CommandFailure(
        "cannot read `\(Display.brief(path))`: \(RegularFile.refusal(at: path) ?? "it was there a moment ago")")
    }
    let name = bytes.lastPart
    return Explainer.Input(
      name: name, bytes: size, rows: RecordCount.of(path, named: name))
  }
}

/// What each stage would get.
struct ExplanationPage: Answer {
  var pipeline: String
  var stages: [Explainer.Explanation]
  var input: String?

  func json() -> JSON {
    [
      "api": 1, "pipeline": .string(pipeline), "input": input.map { .string($0) } ?? .null,
      "stages": .array(
        stages.map { stage in
          [
            "name": .string(stage.stage.name), "granularity": .string(stage.opinion.level.rawValue),
            "granularity_reason": .string(stage.opinion.reason),
            "granularity_authority": .string(stage.opinion.authority.rawValue),
            "sample": stage.sample.map { .number($0) } ?? .null,
            "facts": .object(Dictionary(stage.facts.map { ($0.name, $0.value) }) { first, _ in first }),
            "warnings": .array(stage.broken.map { .string($0) }),
          ]
        }),
    ]
  }

  func lines(_ output: Output) -> [String] {
    var table = Table([.left("stage"), .left("level"), .left("by"), .giving("why")])
    for stage in stages {
      let sample = stage.sample.map { " \(Shown.value(.number($0 * 100)))%" } ?? ""
      let why = ([stage.opinion.reason] + stage.broken).joined(separator: "; ")
      table.add([
        .init(Shown.words(stage.stage.name), .strong), .init(Shown.level(stage.opinion.level) + sample),
        .init(stage.opinion.authority.words), .init(Shown.words(why)),
      ])
    }
    return table.lines(output) + facts(output)
  }

  /// One column a stage would be too wide: one line a stage.
  private func facts(_ output: Output) -> [String] {
    var table = Table([.left(""), .giving("")], indent: 2)
    for stage in stages where !stage.facts.isEmpty {
      let known = stage.facts.filter { $0.value != .null }.map { "\($0.name) \(Facts.text($0.value))" }
      table.add([
        .init(Shown.words(stage.stage.name), .strong), .init(Shown.words(known.joined(separator: ", "))),
      ])
    }
    return table.isEmpty ? [] : ["", output.toned("what the rules see", .strong)] + table.lines(output)
  }
}

extension GranularityAuthority {
  /// Who decided, in a word.
  var words: String { self == .standard ? "default" : rawValue }
}
