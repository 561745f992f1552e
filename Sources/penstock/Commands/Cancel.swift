import ArgumentParser
import Core
import Engine
import Foundation
import Host
import Store

struct Cancel: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Stops a run with every process it started; its drop goes to failed.")

  @OptionGroup var place: Place

  @Argument(help: RunArgument.help)
  var run: String

  func run() async throws {
    let workspace = try place.workspace()
    let reader = try place.reader(workspace)
    let run = try await RunArgument.read(self.run, workspace, reader)
    guard !run.state.isTerminal else {
      throw CommandFailure("run \(run.number) has ended already: \(run.state.rawValue)")
    }
    if let answer = try place.ask(.cancel(run.id), workspace) {
      guard answer["cancelled"]?.bool == true else {
        throw CommandFailure(
          answer["error"]?.string ?? "the agent does not know run \(run.number)", code: ExitCodes.runFailed)
      }
      _ = try place.ask(.wait(run.id), workspace, timeout: 30)
    } else {
      try await cancelAlone(run, workspace)
    }
    let ended = try await reader.run(matching: .id(run.id))
    if place.json {
      try Output.print([
        "api": 1, "id": .string(run.id.text), "number": .integer(run.number), "state": .string(ended.state.rawValue),
      ])
    } else {
      Output.print("run \(run.number) \(ended.state.rawValue)")
    }
  }

  /// No agent, so no process of the run lives: only what is recorded is changed.
  private func cancelAlone(_ run: Run, _ workspace: Workspace) async throws {
    try await place.alone(workspace) { try await $0.agent.abandon(run) }
  }
}
