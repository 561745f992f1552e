import ArgumentParser
import Core
import Foundation
import Host
import Store

struct Logs: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows what happened in a run, or in the agent.",
    discussion:
      "With -f it follows: a run to its end, with exit code 1 where it failed; the agent until Ctrl-C. "
      + "--json gives the records as they are, one a line.")

  @OptionGroup var place: Place

  @Argument(help: "A number, an id or its beginning, `last`, or a drop: its newest run; without it the agent's log.")
  var run: String?

  @Flag(name: .shortAndLong, help: "Go on as more comes.")
  var follow = false

  @Option(help: "Only this stage.")
  var stage: String?

  @Option(help: "Only from then on: `10m` ago, `02:30` today, or a date and time.")
  var since: String?

  @Option(help: "Only this level and worse: debug, info, notice, warning, error, critical.")
  var level: String?

  @Option(name: [.customShort("n"), .long], help: "Only the last so many lines to begin with.")
  var lines: Int?

  func run() async throws {
    let workspace = try place.workspace()
    try workspace.requireOwnState()
    let filter = LogFilter(
      stage: stage, since: try since.map { try Since.read($0, now: Date()) },
      level: try level.map { try Self.read(level: $0) })
    guard let run else {
      let whole = since != nil || lines != nil
      let tail = LogTail(path: LogFiles.agentPath(in: workspace), fromEnd: whole ? nil : 256 << 10)
      let printed = try await show(tail, filter, atMost: lines ?? (since == nil ? 200 : nil)) { true }
      if !printed, !follow { Output.chat("the agent has logged nothing yet: `penstock up` starts it") }
      return
    }
    guard let reader = try place.readerIfAny(workspace) else { throw CommandFailure(RunList.empty) }
    let found = try await RunArgument.read(run, workspace, reader)
    if follow, !found.state.isTerminal, try place.ask(.ping, workspace) == nil {
      Output.chat("no agent runs: run \(found.number) goes on with the next `penstock up`")
    }
    let tail = LogTail(path: LogFiles.path(of: found.id, in: workspace))
    let printed = try await show(tail, filter, atMost: lines) {
      try await !reader.run(matching: .id(found.id)).state.isTerminal
    }
    if !printed, !follow {
      Output.chat("run \(found.number) (\(found.state.rawValue)) has no such lines in its log")
    }
    guard follow else { return }
    let ended = try await reader.run(matching: .id(found.id))
    if ended.state != .done { throw ExitCode(ExitCodes.runFailed) }
  }

  /// - Returns: whether anything was printed.
  private func show(
    _ tail: LogTail, _ filter: LogFilter, atMost: Int?, goesOn: () async throws -> Bool
  ) async throws -> Bool {
    let line = LogLine(output: .standard())
    var printed = false
    var isFirst = true
    // the last lines are written just after the end is recorded
    var restAfterEnd = 3
    while true {
      var records = tail.lines().compactMap { filter.record($0) }
      if isFirst, let atMost { records = records.suffix(atMost) }
      isFirst = false
      for (record, json) in records {
        printed = true
        let isRead = Output.print(place.json ? json : line.text(record))
        if !isRead { return true }
      }
      guard follow else { return printed }
      if records.isEmpty, try await !goesOn() {
        if restAfterEnd == 0 { return printed }
        restAfterEnd -= 1
      }
      try await Task.sleep(for: .milliseconds(100))
    }
  }

  private static func read(level text: String) throws -> LogRecord.Level {
    let short = ["warn": LogRecord.Level.warning, "err": .error]
    guard let level = LogRecord.Level(rawValue: text) ?? short[text] else {
      let hint =
        Nearest.hint(for: text, among: LogRecord.Level.allCases.map(\.rawValue), called: "levels") ?? ""
      throw CommandFailure("--level: no level is called `\(Display.brief(text))`; \(hint)")
    }
    return level
  }
}
