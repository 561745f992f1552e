import ArgumentParser
import Core
import Foundation
import Host

struct Stages: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Lists the registered stages, or tells one whole.",
    subcommands: [StageList.self, ShowStage.self], defaultSubcommand: StageList.self)
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

/// One registered stage with its parameters and levels.
struct StageDescription: Answer {
  var stage: RegisteredStage

  func json() -> JSON { Self.members(stage).merging(["api": 1]) }

  static func members(_ stage: RegisteredStage) -> JSON {
    let manifest = stage.manifest
    func texts(_ list: [String]) -> JSON { .array(list.map { .string($0) }) }
    return [
      "name": .string(manifest.stage), "version": .string(manifest.version),
      "summary": .string(manifest.summary),
      "program": texts(manifest.program), "params": manifest.params,
      "levels": .object(
        Dictionary(
          manifest.supported.map { ($0.rawValue, .string(manifest.levels[$0] ?? $0.gloss)) }
        ) { first, _ in first }),
      "inputs": texts(manifest.inputs), "outputs": texts(manifest.outputs),
      "passthrough": manifest.passthrough.map(texts) ?? .null, "pure": .bool(manifest.pure),
      "persistent": .bool(manifest.persistent), "files": texts(manifest.files), "path": .string(stage.path),
    ]
  }

  func lines(_ output: Output) -> [String] {
    let manifest = stage.manifest
    var lines = [
      output.toned(Shown.words(manifest.stage), .strong) + " " + Shown.words(manifest.version),
      Shown.words(manifest.summary), "",
    ]
    var facts = Table([.left(""), .giving("")], indent: 2)
    func fact(_ name: String, _ value: String) {
      if !value.isEmpty { facts.add([.init(name, .quiet), .init(value)]) }
    }
    fact("program", Shown.words(manifest.program.joined(separator: " ")))
    fact("reads", manifest.inputs.map { Shown.words($0) }.joined(separator: ", "))
    fact("leaves", manifest.outputs.map { Shown.words($0) }.joined(separator: ", "))
    fact(
      "cache",
      manifest.pure ? "equal inputs give equal outputs: may be taken from the cache" : "runs every time")
    fact("manifest", Shown.words(stage.path))
    lines += facts.lines(output) + ["", output.toned("levels", .strong)]
    var levels = Table([.left(""), .giving("")], indent: 2)
    for level in manifest.supported {
      levels.add([.init(Shown.level(level)), .init(Shown.words(manifest.levels[level] ?? ""))])
    }
    lines += levels.lines(output) + ["", output.toned("params", .strong)]
    let params = ParamTable.rows(manifest.params)
    if params.isEmpty { return lines + ["  none"] }
    var table = Table([.left("name"), .giving("type"), .giving("default"), .giving("is")], indent: 2)
    for row in params { table.add(row) }
    return lines + table.lines(output)
  }
}

/// The parameters of a stage out of their JSON Schema.
enum ParamTable {
  static func rows(_ schema: JSON) -> [[Table.Cell]] {
    let required = Set((schema["required"]?.array ?? []).compactMap(\.string))
    return (schema["properties"]?.object ?? [:]).sorted { $0.key < $1.key }.map { name, param in
      let fallback = param["default"].map { Shown.value($0).isEmpty ? "\"\"" : Shown.value($0) }
      return [
        .init(Shown.words(name), .strong), .init(type(param)),
        .init(fallback ?? (required.contains(name) ? "required" : "")),
        .init(Shown.words(param["description"]?.string ?? "")),
      ]
    }
  }

  private static func type(_ param: JSON) -> String {
    if let words = param["enum"]?.array { return words.map(Shown.value).joined(separator: " | ") }
    let types = param["type"]?.array?.compactMap(\.string) ?? [param["type"]?.string].compactMap { $0 }
    var text = types.joined(separator: " or ")
    switch (param["minimum"].map(Shown.value), param["maximum"].map(Shown.value)) {
    case (let low?, let high?): text += " \(low)…\(high)"
    case (let low?, nil): text += " from \(low)"
    case (nil, let high?): text += " up to \(high)"
    case (nil, nil): break
    }
    return Shown.words(text)
  }
}
