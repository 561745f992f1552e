import ArgumentParser
import Core
import Engine
import Host

struct StopTrial: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stop", abstract: "Ends the open trial of a pipeline without a verdict.",
    discussion:
      "What it saw stays in `trials show`, and nothing is put in force or taken back. Where the pipeline has a "
      + "`window`, another one begins in it; remove the `window` to have none.")

  @OptionGroup var place: Place

  @Argument(help: "The name of the pipeline.")
  var pipeline: String

  func run() async throws {
    let workspace = try place.workspace()
    if let answer = try place.ask(.stopTrial(pipeline), workspace) {
      return try place.give(StoppedTrial(pipeline: pipeline, trial: try answer.granted("trial")))
    }
    let trial = try await place.alone(workspace) { assembly in
      try await assembly.agent.configs.lookUp()
      do { return try await assembly.agent.trials.halt(pipeline) } catch let refusal as TrialService.Refusal {
        throw CommandFailure(refusal.description)
      }
    }
    try place.give(StoppedTrial(pipeline: pipeline, trial: trial.map(TrialJSON.summary) ?? .null))
  }
}

/// The trial that a person ended.
struct StoppedTrial: Answer {
  var pipeline: String
  /// Null where it had only been asked for.
  var trial: JSON

  func json() -> JSON { ["api": 1, "trial": trial] }

  func lines(_ output: Output) -> [String] {
    let name = Shown.words(pipeline)
    guard let number = trial["number"]?.double.map({ Int($0) }) else {
      return ["the trial of \(name) that was asked for does not begin"]
    }
    return [
      "trial \(number) of \(name) was stopped; `penstock trials show \(number)` has what it saw until then"
    ]
  }
}
