import ArgumentParser
import Core
import Engine
import Foundation
import Host
import Store

struct Retry: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tries a failed or quarantined drop again, as a new run.",
    discussion: "The new run gets a copy of the drop as it lies in failed/ or quarantine/ now, names the old run, and "
      + "uses the pipeline as it is now; the old run is acknowledged and keeps what it had. A run is tried again once: "
      + "then the newer one is. A run that waits for you (`on_interrupt: hold`) goes on itself. Without an agent the command works the runs itself."
  )

  @OptionGroup var place: Place

  @Argument(help: ArgumentHelp("Runs, or drops by name or path.", valueName: "run-or-file"))
  var subjects: [String] = []

  @Flag(help: "Every failed or quarantined run that nobody has acknowledged or tried again.")
  var all = false

  @Option(help: "With --all: only of this pipeline.")
  var pipeline: String?

  @Option(help: "With --all: only runs in this state, failed or quarantined.")
  var state: String?

  @Flag(help: "Return when the runs have ended; exit 1 where one failed.")
  var wait = false

  func validate() throws {
    if all == subjects.isEmpty { return }
    throw ValidationError(all ? "--all is every run: name none beside it" : "name a run or a drop, or give --all")
  }

  func run() async throws {
    let workspace = try place.workspace()
    guard let reader = try place.readerIfAny(workspace) else { throw CommandFailure(RunList.empty) }
    let earlier = all ? try await failures(reader) : try await named(workspace, reader)
    if earlier.isEmpty { return Output.chat("nothing is left to try again") }
    if try place.ask(.ping, workspace) == nil {
      let runs = try await alone(earlier, workspace)
      return try await StartedRuns(place: place, workspace: workspace, ids: runs).report(isWaited: true, mustEnd: true)
    }
    var ids: [RunID] = []
    var refusals: [String] = []
    for run in earlier {
      do { ids.append(try ask(run, workspace)) } catch let failure as CommandFailure { refusals.append("\(failure)") }
    }
    let released = earlier.filter { $0.state == .waiting }.map(\.id)
    let runs = StartedRuns(place: place, workspace: workspace, ids: ids, released: Set(released))
    if !ids.isEmpty {
      if wait { try await runs.wait() }
      try await runs.report(isWaited: wait, mustEnd: wait)
    }
    if !refusals.isEmpty { throw CommandFailure(refusals.joined(separator: "\n")) }
  }

  private func failures(_ reader: StateReader) async throws -> [Run] {
    let state = try state.map { try Runs.read(state: $0) }
    var runs: [Run] = []
    var before = Int.max
    while true {
      let page = try await reader.recentFailures(limit: 500, before: before)
      for run in page where pipeline.map({ $0 == run.pipeline }) ?? true && state.map({ $0 == run.state }) ?? true {
        if run.drop != nil { runs.append(run) }
      }
      guard page.count == 500, let last = page.last else { break }
      before = last.number
    }
    return runs.reversed()
  }

  private func named(_ workspace: Workspace, _ reader: StateReader) async throws -> [Run] {
    var raw = RawArguments.standard()
    var runs: [Run] = []
    for word in subjects {
      runs.append(try await SubjectReading(workspace: workspace, reader: reader).run(raw.bytes(of: word)))
    }
    return runs
  }

  private func ask(_ run: Run, _ workspace: Workspace) throws -> RunID {
    // as long as it takes to copy the drop
    guard let answer = try place.ask(.retry(run.id), workspace, timeout: nil) else {
      throw CommandFailure("the agent has just stopped: try again", code: ExitCodes.tryLater)
    }
    guard answer["ok"]?.bool == true, let id = answer["run"]?["id"]?.string.flatMap({ RunID($0) }) else {
      throw CommandFailure(answer["error"]?.string ?? "the agent refused")
    }
    return id
  }

  private func alone(_ earlier: [Run], _ workspace: Workspace) async throws -> [RunID] {
    try await place.workAlone(workspace) { assembly in
      var ids: [RunID] = []
      for run in earlier {
        if run.state == .waiting { assembly.agent.hold(run) }
        do { ids.append(try await assembly.agent.retrier.retry(run.id).id) } catch let refusal as Retrier.Refusal {
          throw CommandFailure(refusal.description)
        }
      }
      return ids
    }
  }
}
