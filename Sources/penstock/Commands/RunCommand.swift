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

  @Flag(help: "Take nothing from the cache: every stage is worked.")
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
    var raw = RawArguments.standard()
    let wish = Starter.Wish(
      pipeline: pipeline, input: input.map { absolute(raw.bytes(of: $0)) }, options: options)
    if let runs = try await askAgent(wish, workspace) {
      if wait { try await runs.wait() }
      return try await runs.report(isWaited: wait, mustEnd: wait)
    }
    try await workAlone(wish, workspace).report(isWaited: true, mustEnd: true)
  }

  private func absolute(_ path: FileName) -> FileName {
    if path.bytes.first == UInt8(ascii: "/") { return path }
    return FileName(Array((FileManager.default.currentDirectoryPath + "/").utf8) + path.bytes)
  }

  private func askAgent(_ wish: Starter.Wish, _ workspace: Workspace) async throws -> StartedRuns? {
    guard let answer = try place.ask(.run(wish), workspace, timeout: nil) else { return nil }
    guard answer["ok"]?.bool == true else { throw CommandFailure(answer["error"]?.string ?? "the agent refused") }
    let ids = (answer["runs"]?.array ?? []).compactMap { $0["id"]?.string.flatMap { RunID($0) } }
    let runs = StartedRuns(place: place, workspace: workspace, ids: ids)
    if input == nil { try await runs.tell() }
    return runs
  }

  private func workAlone(_ wish: Starter.Wish, _ workspace: Workspace) async throws -> StartedRuns {
    do {
      let ids = try await place.workAlone(workspace) { assembly in
        let ids = try await assembly.agent.starter.start(wish, mayBegin: false).map(\.id)
        if input == nil { try await StartedRuns(place: place, workspace: workspace, ids: ids).tell() }
        return ids
      }
      return StartedRuns(place: place, workspace: workspace, ids: ids)
    } catch let refusal as Starter.Refusal { throw CommandFailure(refusal.description) }
  }
}

/// `name=value` arguments.
enum Pairs {
  /// - Throws: `CommandFailure` where one is no pair, or two give one name different values.
  static func read(_ pairs: [String], option: String, example: String) throws -> [String: String] {
    var values: [String: String] = [:]
    for pair in pairs {
      guard let equals = pair.firstIndex(of: "="), equals != pair.startIndex else {
        throw CommandFailure("`\(option) \(pair)`: expected a name and a value such as `\(example)`")
      }
      let (name, value) = (String(pair[..<equals]), String(pair[pair.index(after: equals)...]))
      if let earlier = values.updateValue(value, forKey: name), earlier != value {
        throw CommandFailure(
          "`\(option)` gives `\(Display.brief(name))` two values, `\(Display.brief(earlier))` and "
            + "`\(Display.brief(value))`: name it once")
      }
    }
    return values
  }
}
