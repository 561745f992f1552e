import ArgumentParser
import Core
import Engine
import Foundation
import Host
import Store

struct TrialsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trials",
    abstract: "Compares cheaper settings of a pipeline's stages with full runs.",
    discussion:
      "Each setting of the `auto` stages is an arm; one is used only when its loss of quality is shown to stay "
      + "within `trials: { margin }`. They run in `trials: { window }`, and when you ask.",
    subcommands: [ListTrials.self, ShowTrial.self, StartTrial.self, StopTrial.self], defaultSubcommand: ListTrials.self)
}

struct ListTrials: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists trials, the newest first.")

  @OptionGroup var place: Place

  @Option(help: "Only trials of this pipeline.")
  var pipeline: String?

  @Option(name: .shortAndLong, help: "At most so many trials.")
  var limit = 20

  func validate() throws {
    guard limit > 0 else { throw ValidationError("--limit \(limit): expected 1 or more") }
  }

  func run() async throws {
    let now = Date()
    let (versions, reader) = try await place.versionsInForce(try place.workspace())
    let trials = try await reader?.trials(pipeline: pipeline, limit: limit) ?? []
    let nights = try await NightView.all(
      versions.filter { pipeline == nil || $0.pipeline.name == pipeline }, reader, now)
    try place.give(TrialList(trials: trials, nights: nights, isFiltered: pipeline != nil, now: now))
  }
}

struct ShowTrial: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Shows one trial: its arms, what they cost, and how good they are.")

  @OptionGroup var place: Place

  @Argument(help: "The number of the trial, or `last`.")
  var trial: String

  func run() async throws {
    guard let reader = try place.readerIfAny(try place.workspace()) else { throw CommandFailure(TrialList.empty) }
    let found: Trial?
    if trial == "last" {
      found = try await reader.trials(limit: 1).first
    } else {
      guard let number = Int(trial) else {
        throw CommandFailure("`\(Display.brief(trial))` is no number of a trial; `penstock trials` lists them")
      }
      found = try await reader.trial(number: number)
    }
    guard let found else {
      throw CommandFailure("there is no trial `\(Display.brief(trial))`; `penstock trials` lists them")
    }
    let observations = try await reader.observations(of: found.number, scores: true)
    try place.give(try TrialPage(trial: found, observations: observations, now: Date()))
  }
}
