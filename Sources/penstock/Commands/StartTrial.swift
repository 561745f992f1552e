import ArgumentParser
import Core
import Engine
import Foundation
import Host
import Store
import Synchronization

struct StartTrial: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "start", abstract: "Begins a trial of a pipeline now, or goes on with the one that is open.",
    discussion: """
      It gives way to runs as at night. Without an agent the command works the trial itself, and nothing else can be changed in the workspace \
      until it has ended or Ctrl-C stops it (a later one goes on): start `penstock up` first where drops may come.
      """)

  @OptionGroup var place: Place

  @Argument(help: "The name of the pipeline.")
  var pipeline: String

  @Option(help: "CPU time at most, such as `10m`; else that of the pipeline's `trials:`.")
  var budget: String?

  @Flag(help: "Return when the trial is decided, or its CPU time is used up.")
  var wait = false

  func run() async throws {
    let workspace = try place.workspace()
    let budget = try seconds()
    guard let answer = try place.ask(.trial(pipeline, budget: budget, wait: wait), workspace, timeout: wait ? nil : 10)
    else { return try await alone(workspace, budget) }
    guard answer["ok"]?.bool == true else { throw CommandFailure(answer["error"]?.string ?? "the agent refused") }
    if wait {
      try tell(TrialAnswer(json: answer["trial"] ?? .null))
    } else if place.json {
      try Output.print(["api": 1, "trial": .null])
    } else {
      Output.chat("the trial begins when no run is at work; `penstock trials` shows how it goes")
    }
  }

  /// How long what is to be recorded waits for a full disk.
  private static let patience = Duration.seconds(10)

  private func seconds() throws -> Double? {
    guard let budget else { return nil }
    do { return try Quantity.duration(budget) / .seconds(1) } catch {
      throw CommandFailure("--budget: \(error.reason)" + (error.hint.map { "; \($0)" } ?? ""))
    }
  }

  private func alone(_ workspace: Workspace, _ budget: Double?) async throws {
    let console = Console(output: .standard(), json: false, quiet: place.json)
    let assembly = try Assembly(workspace) { console.show($0) }
    console.animate(on: assembly.reactor)
    let trials = assembly.agent.trials
    let interruption = Mutex<Int32?>(nil)
    let signals = try StopSignals(reactor: assembly.reactor) { number in
      interruption.withLock { $0 = number }
      trials.stop()
    }
    defer { withExtendedLifetime(signals) {} }
    let outcome: Result<TrialService.Report, any Error>
    // a person is there to make room: nothing is waited for long
    assembly.store.hurry(within: Self.patience)
    do {
      try await assembly.agent.configs.lookUp()
      outcome = .success(try await trials.workAlone(pipeline, budget: budget))
    } catch { outcome = .failure(error) }
    await assembly.close()
    console.finish()
    let number = interruption.withLock { $0 }
    do { try tell(TrialAnswer(try outcome.get())) } catch let refusal as TrialService.Refusal {
      if number == nil { throw CommandFailure(refusal.description) }
    }
    if let number { throw ExitCode(128 + number) }
  }

  private func tell(_ answer: TrialAnswer) throws {
    try place.give(answer)
    if answer.isBroken { throw ExitCode(ExitCodes.runFailed) }
  }
}

/// How what was asked for ended.
struct TrialAnswer: Answer {
  private let body: JSON

  init(json: JSON) { body = json }

  init(_ report: TrialService.Report) { body = Self.json(report) }

  static func json(_ report: TrialService.Report) -> JSON {
    [
      "number": .integer(report.trial.number), "pipeline": .string(report.trial.pipeline),
      "state": .string(report.trial.state.rawValue), "paused": .bool(report.isPaused),
      "reason": .string(report.reason),
    ]
  }

  /// The control itself failed.
  var isBroken: Bool { body["state"] == "stopped" }

  func json() -> JSON { JSON.object(["api": 1, "trial": body]) }

  func lines(_ output: Output) -> [String] {
    let number = body["number"].flatMap { if case .integer(let number) = $0 { number } else { nil } } ?? 0
    let name = Shown.words(body["pipeline"]?.string ?? "")
    let isPaused = body["paused"]?.bool ?? false
    let state = isPaused ? "is not decided yet" : isBroken ? "was stopped" : "is decided"
    var lines = ["trial \(number) of \(name) \(state): \(Shown.words(body["reason"]?.string ?? ""))"]
    if isPaused { lines.append("`penstock trials start \(name)` goes on with it") }
    lines.append("`penstock trials show \(number)` has the arms and the numbers")
    return lines
  }
}
