import ArgumentParser
import Core
import Engine
import Foundation
import Host
import Store

struct StatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Tells on one screen what the agent does, and what went wrong.",
    discussion:
      "Exit code: 1 where the last run of a pipeline failed or a quarantined drop is not acknowledged, "
      + "4 where something is impaired, 3 where no agent runs, 0 otherwise.")

  @OptionGroup var place: Place

  @Flag(name: .shortAndLong, help: "Show it anew every second, until Ctrl-C.")
  var watch = false

  func validate() throws {
    if watch, place.json {
      throw ValidationError("--watch is for people, --json for programs: give one of them")
    }
  }

  func run() async throws {
    let workspace = try place.workspace()
    let reading = StatusReading(workspace: workspace, place: place)
    if watch {
      guard Output.standard().isTerminal else {
        throw CommandFailure(
          "--watch needs a terminal: without one, run `penstock status` as often as you like")
      }
      return try await StatusScreen(reading: reading).show()
    }
    let report = try await reading.read(now: Date())
    try place.give(report)
    if report.exitCode != ExitCodes.ok { throw ExitCode(report.exitCode) }
  }
}

/// `status --watch`: the page again every second on the terminal's second screen.
struct StatusScreen {
  let reading: StatusReading

  func show() async throws {
    let reactor = try Reactor()
    let (stops, stopping) = AsyncStream.makeStream(of: Int32.self, bufferingPolicy: .bufferingNewest(1))
    let signals = try StopSignals(reactor: reactor) { stopping.yield($0) }
    defer { withExtendedLifetime(signals) { reactor.stop() } }
    // the second screen, no cursor
    Output.print("\u{1B}[?1049h\u{1B}[?25l", terminator: "")
    defer { Output.print("\u{1B}[?25h\u{1B}[?1049l", terminator: "") }
    let number = try await withThrowingTaskGroup(of: Int32?.self) { group in
      group.addTask {
        for await number in stops { return number }; return nil
      }
      group.addTask {
        while true {
          draw(try await reading.read(now: Date()))
          do { try await Task.sleep(for: .seconds(1)) } catch { return nil }
        }
      }
      defer { group.cancelAll() }
      return try await group.next() ?? nil
    }
    if let number { throw ExitCode(128 + number) }
  }

  /// Over the last one, in one write, so that nothing flickers.
  private func draw(_ report: StatusReport) {
    let output = Output.standard()
    let rows = max(5, Machine.rows(of: 1) ?? 24)
    var lines = report.lines(output)
    lines.append("")
    lines.append(output.toned("\(LocalTime.clock(report.now))  Ctrl-C ends this", .quiet))
    if lines.count > rows { lines = lines.prefix(rows - 1) + [output.toned("… more than fits here", .quiet)] }
    Output.print(
      "\u{1B}[H" + lines.map { $0 + "\u{1B}[K" }.joined(separator: "\r\n") + "\u{1B}[J", terminator: "")
  }
}
