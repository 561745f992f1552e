import ArgumentParser
import Core
import Foundation
import Host
import Store

struct Runs: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Lists runs, the newest first.",
    discussion: "`penstock show RUN` tells one run whole, `penstock logs RUN` what its programs said.")

  @OptionGroup var place: Place

  @Option(help: "Only runs of this pipeline.")
  var pipeline: String?

  @Option(help: "Only runs in this state: queued, running, waiting, done, failed, cancelled, quarantined.")
  var state: String?

  @Option(name: .shortAndLong, help: "At most so many runs.")
  var limit = 20

  func validate() throws {
    guard limit > 0 else { throw ValidationError("--limit \(limit): expected 1 or more") }
  }

  func run() async throws {
    let workspace = try place.workspace()
    let state = try state.map { try Self.read(state: $0) }
    let runs =
      try await place.readerIfAny(workspace)?.runs(pipeline: pipeline, state: state, limit: limit) ?? []
    try place.give(RunList(runs: runs, isFiltered: pipeline != nil || state != nil, now: Date()))
  }

  static func read(state text: String) throws -> RunState {
    guard let state = RunState(rawValue: text) else {
      let names = RunState.allCases.map(\.rawValue)
      let hint = Nearest.hint(for: text, among: names, called: "states")
      throw CommandFailure(
        "--state: no state is called `\(Display.brief(text))`" + (hint.map { "; \($0)" } ?? ""))
    }
    return state
  }
}

/// A list of runs.
struct RunList: Answer {
  var runs: [Run]
  var isFiltered: Bool
  var now: Date

  func json() -> JSON { ["api": 1, "runs": .array(runs.map(RunJSON.summary))] }

  func lines(_ output: Output) -> [String] {
    if runs.isEmpty { return [isFiltered ? "no such runs; `penstock runs` lists all" : Self.empty] }
    var table = Table([
      .right("run"), .giving("pipeline"), .left("state"), .giving("drop"), .left("started"), .right("took"),
      .giving("reason"),
    ])
    let time = LocalTime(now: now)
    for run in runs {
      table.add([
        .init("\(run.number)", .strong), .init(Shown.words(run.pipeline)), Shown.state(run.state),
        .init(run.drop?.name.displayed ?? "", .plain), .init(time.text(run.started ?? run.created)),
        .init(Shown.span(run.started, run.ended ?? (run.state == .running ? now : nil))),
        .init(run.state == .done ? "" : Shown.reason(run)),
      ])
    }
    return table.lines(output)
  }

  static let empty =
    "no runs yet: drop a file with `penstock put FILE`, or start one with `penstock run PIPELINE`"
}
