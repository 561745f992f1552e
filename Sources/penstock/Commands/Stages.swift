import ArgumentParser
import Core
import Foundation
import Host

struct Stages: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Lists the registered stages, tells one whole, or writes a manifest to begin with.",
    subcommands: [StageList.self, ShowStage.self, DescribeStage.self], defaultSubcommand: StageList.self)
}

struct StageList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Lists the registered stages.")

  @OptionGroup var place: Place

  func run() async throws {
    let registry = place.registry(try place.workspace())
    try place.give(
      StageTable(
        stages: registry.stages.values.sorted { $0.manifest.stage < $1.manifest.stage }, kit: registry.kit))
    for diagnostic in registry.stageDiagnostics { Output.chat(diagnostic.rendered) }
  }
}

struct ShowStage: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "One stage: its parameters, and what each level does.")

  @OptionGroup var place: Place

  @Argument(help: "The name of a registered stage, as in `uses:`.")
  var stage: String

  func run() async throws {
    let stages = place.registry(try place.workspace()).stages
    guard let found = stages[stage] else {
      let hint = Nearest.hint(for: stage, among: stages.keys.sorted(), called: "stages")
      throw CommandFailure(
        "no stage is registered as `\(Display.brief(stage))`; \(hint ?? "`penstock stages` lists what there is")"
      )
    }
    try place.give(StageDescription(stage: found))
  }
}

/// Every registered stage, one a row.
struct StageTable: Answer {
  var stages: [RegisteredStage]
  var kit: String?

  func json() -> JSON {
    [
      "api": 1, "kit": kit.map { .string($0) } ?? .null,
      "stages": .array(stages.map { StageDescription.members($0) }),
    ]
  }

  func lines(_ output: Output) -> [String] {
    if stages.isEmpty {
      return [
        "no stages are registered: put a manifest at stages/KIT/NAME.yaml (`penstock schema manifest` says how), "
          + "or write `run: [PROGRAM, …]` in a pipeline, which needs none"
      ]
    }
    var table = Table([.left("stage"), .left("version"), .left("levels"), .giving("does")])
    for stage in stages {
      let manifest = stage.manifest
      table.add([
        .init(Shown.words(manifest.stage), .strong), .init(Shown.words(manifest.version)),
        .init(manifest.supported.map(\.rawValue).joined(separator: " ")),
        .init(Shown.words(manifest.summary)),
      ])
    }
    return table.lines(output)
  }
}
