import ArgumentParser
import Core
import Engine
import Foundation
import Host
import Store

struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Starts a run by hand; the input is copied, never moved.",
    discussion: "Without --input the run reads the pipeline's `data.sources`, else its latest done drops. "
      + "Without an agent the command works the run itself and waits for it.")

  @OptionGroup var place: Place

  @Argument(help: "The name of the pipeline.")
  var pipeline: String

  @Option(help: "The file to run on.", completion: .file())
  var input: String?

  @Option(help: ArgumentHelp("A value for one of the pipeline's vars.", valueName: "k=v"))
  var set: [String] = []

  @Option(
    help: ArgumentHelp(
      "The level of a stage: coarse (full), medium (sampled data), fine (simplified algorithm), off (bypassed).",
      valueName: "stage=level"))
  var granularity: [String] = []

  @Flag(help: "Take nothing from the cache.")
  var noCache = false

  @Flag(help: "Return when the run has ended; exit 1 where it failed.")
  var wait = false

  func run() async throws {
    let workspace = try place.workspace()
    var options = RunOptions(useCache: !noCache)
    options.set = try Pairs.read(set, option: "--set", example: "horizon=5")
    for (stage, level) in try Pairs.read(granularity, option: "--granularity", example: "train=fine") {
      guard let level = Granularity(rawValue: level) else {
        throw CommandFailure("`--granularity \(stage)=\(level)`: expected coarse, medium, fine or off")
      }
      options.granularity[stage] = level
    }
    let wish = Starter.Wish(pipeline: pipeline, input: input.map(absolute), options: options)
    if let ids = try await askAgent(wish, workspace) { return try await report(ids, workspace, mustEnd: wait) }
    try await report(try await workAlone(wish, workspace), workspace, mustEnd: true)
  }

  private func absolute(_ path: String) -> String {
    path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
  }

  private func askAgent(_ wish: Starter.Wish, _ workspace: Workspace) async throws -> [RunID]? {
    guard let answer = try place.ask(.run(wish), workspace, timeout: nil) else { return nil }
    guard answer["ok"]?.bool == true else { throw CommandFailure(answer["error"]?.string ?? "the agent refused") }
    let ids = (answer["runs"]?.array ?? []).compactMap { $0["id"]?.string.flatMap { RunID($0) } }
    if wait {
      for id in ids { _ = try place.ask(.wait(id), workspace, timeout: nil) }
    }
    return ids
  }

  private func workAlone(_ wish: Starter.Wish, _ workspace: Workspace) async throws -> [RunID] {
    let console = Console(output: .standard(), json: false, quiet: place.json)
    let assembly = try Assembly(workspace) { console.show($0) }
    console.animate(on: assembly.reactor)
    let agent = assembly.agent
    let signals = try StopSignals(reactor: assembly.reactor) { _ in
      agent.stop(because: "interrupted")
      agent.stop(because: "interrupted")
    }
    defer { withExtendedLifetime(signals) {} }
    let outcome: Result<[RunID], any Error>
    do {
      try await agent.configs.refresh(for: pipeline)
      let runs = try await agent.starter.start(wish)
      try await agent.runQueued()
      outcome = .success(runs.map(\.id))
    } catch {
      outcome = .failure(error)
    }
    await assembly.close()
    console.finish()
    do { return try outcome.get() } catch let refusal as Starter.Refusal { throw CommandFailure(refusal.description) }
  }

  private func report(_ ids: [RunID], _ workspace: Workspace, mustEnd: Bool) async throws {
    let reader = try place.reader(workspace)
    var failed = false
    var open: [Run] = []
    for id in ids {
      let whole = try await WholeRun.read(.id(id), reader)
      failed = failed || (whole.run.state.isTerminal && whole.run.state != .done)
      if !whole.run.state.isTerminal { open.append(whole.run) }
      if place.json {
        try Output.print(whole.json())
      } else if wait || whole.run.state.isTerminal {
        Output.print(
          "run \(whole.run.number) \(whole.run.state.rawValue)"
            + (whole.run.reason.map { ": \(Display.escaped($0))" } ?? ""))
      } else {
        Output.print("run \(whole.run.number) \(whole.run.state.rawValue)")
      }
    }
    if failed { throw ExitCode(ExitCodes.runFailed) }
    if mustEnd, let left = open.first {
      throw CommandFailure(
        "run \(left.number) has not ended, it is \(left.state.rawValue): `penstock up` goes on with it",
        code: ExitCodes.tryLater)
    }
  }
}

/// `name=value` arguments.
enum Pairs {
  static func read(_ pairs: [String], option: String, example: String) throws -> [String: String] {
    var values: [String: String] = [:]
    for pair in pairs {
      guard let equals = pair.firstIndex(of: "="), equals != pair.startIndex else {
        throw CommandFailure("`\(option) \(pair)`: expected a name and a value such as `\(example)`")
      }
      values[String(pair[..<equals])] = String(pair[pair.index(after: equals)...])
    }
    return values
  }
}
