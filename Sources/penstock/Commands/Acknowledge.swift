import ArgumentParser
import Core
import Engine
import Foundation
import Host
import Store

struct Acknowledge: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ack",
    abstract: "Says that you have seen how a run went wrong: `status` no longer counts it.",
    discussion: "The run, its reason and its drop stay as they are; when it was acknowledged is recorded. "
      + "`penstock retry` acknowledges by itself.",
    aliases: ["acknowledge"])

  @OptionGroup var place: Place

  @Argument(help: ArgumentHelp("Runs or drops that went wrong.", valueName: "run-or-file"))
  var subjects: [String] = []

  @Flag(help: "Every failed or quarantined run.")
  var all = false

  @Option(help: "With --all: only of this pipeline.")
  var pipeline: String?

  /// Of one request.
  private static let batch = 500

  func validate() throws {
    if all == subjects.isEmpty { return }
    throw ValidationError(all ? "--all is every run: name none beside it" : "name a run or a drop, or give --all")
  }

  func run() async throws {
    let workspace = try place.workspace()
    guard let reader = try place.readerIfAny(workspace) else { throw CommandFailure(RunList.empty) }
    let runs = all ? try await failures(reader) : try await named(workspace, reader)
    var news = 0
    for start in stride(from: 0, to: runs.count, by: Self.batch) {
      news += try await acknowledge(runs[start..<min(runs.count, start + Self.batch)].map(\.id), workspace)
    }
    if place.json {
      try Output.print(["api": 1, "acknowledged": .integer(news), "runs": .array(runs.map { .integer($0.number) })])
    } else if runs.isEmpty {
      Output.print("nothing is left to acknowledge")
    } else {
      let numbers = runs.prefix(8).map { "\($0.number)" }.joined(separator: ", ")
      Output.print(
        news == 0
          ? "acknowledged before: run \(numbers)"
          : "acknowledged \(Shown.count(news, "run")): \(numbers)" + (runs.count > 8 ? ", …" : ""))
    }
  }

  private func failures(_ reader: StateReader) async throws -> [Run] {
    var runs: [Run] = []
    var before = Int.max
    while true {
      let page = try await reader.recentFailures(limit: Self.batch, before: before)
      runs += page.filter { pipeline == nil || $0.pipeline == pipeline }
      guard page.count == Self.batch, let last = page.last else { return runs }
      before = last.number
    }
  }

  private func named(_ workspace: Workspace, _ reader: StateReader) async throws -> [Run] {
    var raw = RawArguments.standard()
    var runs: [Run] = []
    for word in subjects {
      switch try await SubjectReading(workspace: workspace, reader: reader).read(raw.bytes(of: word)) {
      case .run(let run):
        guard run.isMishap else {
          throw CommandFailure("run \(run.number) is \(run.state.rawValue): there is nothing to acknowledge")
        }
        runs.append(run)
      case .drop(let name):
        let found = try await reader.runs(onDrop: name, limit: Self.batch).filter(\.isMishap)
        if found.isEmpty { throw CommandFailure("no run on a drop `\(name.displayed)` went wrong") }
        runs +=
          found.filter { $0.acknowledged == nil }.isEmpty
          ? Array(found.prefix(1)) : found.filter { $0.acknowledged == nil }
      }
    }
    return runs
  }

  private func acknowledge(_ ids: [RunID], _ workspace: Workspace) async throws -> Int {
    if let answer = try place.ask(.acknowledge(ids), workspace) {
      guard answer["ok"]?.bool == true else {
        throw CommandFailure(answer["error"]?.string ?? "the agent refused", code: ExitCodes.runFailed)
      }
      return answer["acknowledged"]?.double.map { Int($0) } ?? 0
    }
    return try await place.alone(workspace) { try await $0.store.acknowledge(ids, at: Date()) }
  }
}

extension Run {
  /// Whether it ended otherwise than it should.
  var isMishap: Bool { [.failed, .cancelled, .quarantined].contains(state) }
}
