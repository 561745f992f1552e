import ArgumentParser
import Core
import Foundation
import Host
import Store

/// Runs that a command has begun: told, waited for, and reported.
struct StartedRuns {
  let place: Place
  let workspace: Workspace
  let ids: [RunID]
  /// Those of them that waited for a person until now.
  var released: Set<RunID> = []

  /// Which runs, and on what: for what was not said by who asked.
  func tell() async throws {
    let reader = try place.reader(workspace)
    var lines: [String] = []
    for id in ids {
      let run = try await reader.run(matching: .id(id))
      let repeated = try await RepeatedRun.of(run, reader)
      let drop = run.drop ?? repeated?.told
      let source = run.drop == nil ? repeated.map { ", the drop of run \($0.number)" } : nil
      lines.append("run \(run.number)" + (drop.map { " on \($0.name.displayed)\(source ?? "")" } ?? ""))
    }
    guard ids.count > 1 else { return Output.chat(lines.map { "\($0) begins" }.joined()) }
    Output.chat("\(ids.count) runs begin, one for each kind of drop:")
    for line in lines { Output.chat("  " + line) }
  }

  /// Returns when the agent has ended all of them; Ctrl-C ends the waiting only.
  func wait() async throws {
    let reader = try place.reader(workspace)
    var numbers: [Int] = []
    for id in ids { numbers.append(try await reader.run(matching: .id(id)).number) }
    let names = numbers.map { "\($0)" }.joined(separator: ", ")
    let words =
      numbers.count == 1
      ? "run \(names) goes on: `penstock logs -f \(names)` follows it, `penstock cancel \(names)` ends it"
      : "runs \(names) go on: `penstock status` shows them, `penstock cancel RUN` ends one"
    let reactor = try Reactor()
    let signals = try StopSignals(reactor: reactor) { number in
      Output.chat("")
      Output.chat(words)
      Foundation.exit(128 + number)
    }
    defer { withExtendedLifetime(signals) { reactor.stop() } }
    // set where a hook or a stage asks
    let own = ProcessInfo.processInfo.environment["PENSTOCK_RUN"].flatMap { RunID($0) }
    for id in ids { _ = try place.ask(.wait(id, by: own), workspace, timeout: nil) }
  }

  /// - Throws: exit 1 where one went wrong; with `mustEnd`, 75 where one has not ended.
  func report(isWaited: Bool, mustEnd: Bool) async throws {
    let reader = try place.reader(workspace)
    var runs: [Run] = []
    for id in ids {
      let whole = try await WholeRun.read(.id(id), reader)
      runs.append(whole.run)
      if place.json {
        try Output.print(whole.json())
      } else {
        let isOver = isWaited || whole.run.state.isTerminal
        let why = isOver ? whole.run.reason.map { ": \(Shown.words($0))" } ?? "" : ""
        let goesOn = released.contains(whole.run.id) && !isOver
        Output.print("run \(whole.run.number) \(goesOn ? "goes on" : whole.run.state.rawValue)\(why)")
      }
    }
    if runs.contains(where: \.isMishap) { throw ExitCode(ExitCodes.runFailed) }
    if mustEnd, let left = runs.first(where: { !$0.state.isTerminal }) {
      throw CommandFailure(
        "run \(left.number) has not ended, it is \(left.state.rawValue): `penstock up` goes on with it",
        code: ExitCodes.tryLater)
    }
  }
}

/// The run that another repeats.
enum RepeatedRun {
  static func of(_ run: Run, _ reader: StateReader) async throws -> Run? {
    guard let earlier = run.rerunOf else { return nil }
    do {
      var repeated = try await reader.run(matching: .id(earlier))
      repeated.reads = try await reader.dropOwner(of: repeated)?.drop
      return repeated
    } catch StoreError.noRun { return nil }
  }

  /// By the id of the run that repeats.
  static func of(_ runs: [Run], _ reader: StateReader) async throws -> [RunID: Run] {
    var earlier: [RunID: Run] = [:]
    for run in runs { earlier[run.id] = try await of(run, reader) }
    return earlier
  }
}
