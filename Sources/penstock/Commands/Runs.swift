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
    let reader = try place.readerIfAny(workspace)
    let runs = try await reader?.runs(pipeline: pipeline, state: state, limit: limit) ?? []
    var list = RunList(runs: runs, isFiltered: pipeline != nil || state != nil, now: Date())
    if let reader { list.repeated = try await RepeatedRun.of(runs, reader) }
    try place.give(list)
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
  /// The runs that some of them repeat, by the id of those.
  var repeated: [RunID: Run] = [:]
  var isFiltered: Bool
  var now: Date

  func json() -> JSON { ["api": 1, "runs": .array(runs.map { RunJSON.summary($0, repeating: repeated[$0.id]) })] }

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
        .init((run.drop ?? repeated[run.id]?.told)?.name.displayed ?? "", .plain),
        .init(time.text(run.started ?? run.created)),
        .init(Shown.span(run.started, run.ended ?? (run.state == .running ? now : nil))),
        .init(note(run)),
      ])
    }
    return table.lines(output)
  }

  private func note(_ run: Run) -> String {
    let notes = [
      repeated[run.id].map { "repeats run \($0.number)" } ?? "", Shown.reason(run),
    ]
    return notes.filter { !$0.isEmpty }.joined(separator: "; ")
  }

  static let empty =
    "no runs yet: drop a file with `penstock put FILE`, or start one with `penstock run PIPELINE`"
}
