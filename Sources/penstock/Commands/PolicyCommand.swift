import ArgumentParser
import Core
import Engine
import Foundation
import Host
import Store

struct PolicyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "policy",
    abstract: "Tells which levels are in force for `auto` stages and why; pins them.",
    subcommands: [ShowPolicy.self, ExplainPolicy.self, PinPolicy.self, UnpinPolicy.self],
    defaultSubcommand: ShowPolicy.self)
}

struct ShowPolicy: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "What is in force, the rules, and the built-in rules with their thresholds.")

  @OptionGroup var place: Place

  @Argument(help: "Only this pipeline, with everything that was decided on it.")
  var pipeline: String?

  func run() async throws {
    let workspace = try place.workspace()
    let reading = try PolicyReading(workspace: workspace, place: place)
    var pages = try await reading.views()
    if let pipeline {
      pages = pages.filter { $0.pipeline.name == pipeline }
      if pages.isEmpty { throw try await reading.unknown(pipeline) }
    }
    for index in pages.indices where pipeline != nil {
      pages[index].steps = try await reading.reader?.policySteps(of: pages[index].pipeline.name, limit: 20) ?? []
    }
    try place.give(PolicyPage(views: pages, thresholds: place.settings(workspace).settings.rules, now: Date()))
  }
}

struct PinPolicy: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pin",
    abstract: "Puts levels in force, over whatever trials say, until you let go of them.",
    discussion:
      "Stages that are `auto` and not named are coarse. Without levels what is in force is pinned. Rules still "
      + "come first, as do --granularity, hooks and a level that is fixed in the YAML.")

  @OptionGroup var place: Place

  @Argument(help: "The pipeline.")
  var pipeline: String

  @Argument(help: ArgumentHelp("Levels, such as train=fine.", valueName: "stage=level"))
  var levels: [String] = []

  func run() async throws {
    let workspace = try place.workspace()
    var wanted: [String: Granularity] = [:]
    for (stage, level) in try Pairs.read(levels, option: "policy pin", example: "train=fine") {
      guard let known = Granularity(rawValue: level) else {
        throw CommandFailure("`\(stage)=\(level)`: expected coarse, medium, fine or off")
      }
      wanted[stage] = known
    }
    let policy: JSON
    if let answer = try place.ask(.pin(pipeline, wanted), workspace) {
      policy = try answer.granted("policy")
    } else {
      policy = try await place.alone(workspace) { assembly in
        try await assembly.agent.configs.lookUp()
        do { return try await assembly.agent.pinning.pin(pipeline, wanted).json } catch let refusal as Pinning.Refusal {
          throw CommandFailure(refusal.description)
        }
      }
    }
    try place.give(PolicyStep(policy: policy, words: "pinned from the next run on"))
  }
}

struct UnpinPolicy: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "unpin", abstract: "Lets go of what you pinned: what trials say counts again.")

  @OptionGroup var place: Place

  @Argument(help: "The pipeline.")
  var pipeline: String

  func run() async throws {
    let workspace = try place.workspace()
    let policy: JSON
    if let answer = try place.ask(.unpin(pipeline), workspace) {
      policy = try answer.granted("policy")
    } else {
      policy = try await place.alone(workspace) { assembly in
        do { return try await assembly.agent.pinning.unpin(pipeline).json } catch let refusal as Pinning.Refusal {
          throw CommandFailure(refusal.description)
        }
      }
    }
    try place.give(PolicyStep(policy: policy, words: "not pinned any more"))
  }
}

/// What a person changed.
struct PolicyStep: Answer {
  var policy: JSON
  var words: String

  func json() -> JSON { ["api": 1, "policy": policy] }

  func lines(_ output: Output) -> [String] {
    let levels = (policy["levels"]?.object ?? [:]).sorted { $0.key < $1.key }.map {
      "\($0.key)=\($0.value.string ?? "")"
    }
    return ["\(Shown.words(policy["pipeline"]?.string ?? "")): \(Shown.words(levels.joined(separator: " "))) \(words)"]
  }
}

extension JSON {
  /// What the agent grants.
  /// - Throws: `CommandFailure` with why it does not.
  func granted(_ key: String) throws -> JSON {
    guard self["ok"]?.bool == true, let value = self[key] else {
      throw CommandFailure(self["error"]?.string ?? "the agent refused")
    }
    return value
  }
}
