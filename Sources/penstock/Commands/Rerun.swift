import ArgumentParser
import Core
import Engine
import Foundation
import Host
import Store

struct Rerun: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs an ended run again on the same data, as a new run that names it.",
    discussion:
      "Stages that are `pure` come from the cache where nothing they depend on has changed; `penstock why RUN "
      + "STAGE` tells. The pipeline is the one in force now. What --from and --failed-only leave out is taken from "
      + "the old run as it is. A run that is done keeps its drop; one that failed is acknowledged, and the new run has "
      + "a copy of its drop, as `penstock retry` makes it. Without an agent the command works the run itself.")

  @OptionGroup var place: Place

  @Argument(help: RunArgument.help)
  var run: String

  @Option(
    help: ArgumentHelp(
      "The stage to begin with: it is worked in any case; what does not depend on it is taken from the old run.",
      valueName: "stage"))
  var from: String?

  @Flag(help: "Work only what did not end well, and what depends on it.")
  var failedOnly = false

  @Option(help: ArgumentHelp("Another value for one of the pipeline's vars.", valueName: "k=v"))
  var set: [String] = []

  @Flag(help: "Take nothing from the cache: every stage that is left is worked.")
  var noCache = false

  @Flag(help: "The version of the pipeline that the old run had, not the one in force.")
  var sameVersion = false

  @Flag(help: "Return when the run has ended; exit 1 where it failed.")
  var wait = false

  func validate() throws {
    if from != nil, failedOnly { throw ValidationError("--from and --failed-only both say where to begin: give one") }
  }

  func run() async throws {
    let workspace = try place.workspace()
    guard let reader = try place.readerIfAny(workspace) else { throw CommandFailure(RunList.empty) }
    let earlier = try await RunArgument.read(run, workspace, reader)
    let wish = Rerunner.Wish(
      run: earlier.id, from: from, failedOnly: failedOnly, useCache: !noCache,
      set: try Pairs.read(set, option: "--set", example: "horizon=5"), sameVersion: sameVersion)
    if let id = try askAgent(wish, workspace) {
      let runs = StartedRuns(place: place, workspace: workspace, ids: [id])
      try await tell(id, repeating: earlier, workspace)
      if wait { try await runs.wait() }
      return try await runs.report(isWaited: wait, mustEnd: wait)
    }
    let ids = try await workAlone(wish, repeating: earlier, workspace)
    try await StartedRuns(place: place, workspace: workspace, ids: ids).report(isWaited: true, mustEnd: true)
  }

  private func askAgent(_ wish: Rerunner.Wish, _ workspace: Workspace) throws -> RunID? {
    // as long as it takes to copy the drop
    guard let answer = try place.ask(.rerun(wish), workspace, timeout: nil) else { return nil }
    guard answer["ok"]?.bool == true, let id = answer["run"]?["id"]?.string.flatMap({ RunID($0) }) else {
      throw CommandFailure(answer["error"]?.string ?? "the agent refused")
    }
    return id
  }

  private func workAlone(
    _ wish: Rerunner.Wish, repeating earlier: Run, _ workspace: Workspace
  ) async throws -> [RunID] {
    do {
      return try await place.workAlone(workspace) { assembly in
        let id = try await assembly.agent.rerunner.rerun(wish).id
        try await tell(id, repeating: earlier, workspace)
        return [id]
      }
    } catch let refusal as Retrier.Refusal { throw CommandFailure(refusal.description) }
  }

  /// Which pipeline it is: what is in force may be another than the old run had.
  private func tell(_ id: RunID, repeating earlier: Run, _ workspace: Workspace) async throws {
    let run = try await place.reader(workspace).run(matching: .id(id))
    let version =
      run.version == earlier.version
      ? "the same version of `\(Shown.words(run.pipeline))`"
      : "`\(Shown.words(run.pipeline))` as it is now, which is not what run \(earlier.number) had"
    Output.chat("run \(run.number) repeats run \(earlier.number) with \(version)")
  }
}
