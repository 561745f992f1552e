import Core
import Engine
import Foundation
import Host
import Synchronization

/// What `up` shows of what happens: a progress line on a terminal, plain lines otherwise.
final class Console: Sendable {
  private struct Progress {
    var run: Event.RunTag
    var drop: String?
    var stages: [String]
    var finished = 0
    var current: String?
    var begun: Date
  }

  private struct State {
    var active: [RunID: Progress] = [:]
    var lines = 0
  }

  private let output: Output
  private let json: Bool
  private let quiet: Bool
  private let state = Mutex(State())

  init(output: Output, json: Bool, quiet: Bool = false) {
    self.output = output
    self.json = json
    self.quiet = quiet
  }

  func show(_ event: Event) {
    if quiet { return }
    if json { return showJSON(event) }
    state.withLock { state in
      erase(&state)
      if let line = line(for: event) { Output.print(line) }
      note(event, in: &state)
      draw(&state)
    }
  }

  /// Leaves the terminal clean.
  func finish() { state.withLock { erase(&$0) } }

  private func showJSON(_ event: Event) {
    let record = LogWords.record(of: event)
    if record.level == .debug { return }
    if let line = try? record.json(time: { Timestamp.text($0) }).line() { Output.print(line) }
  }

  private func line(for event: Event) -> String? {
    if case .outputLine = event.kind { return nil }
    let record = LogWords.record(of: event)
    return record.level == .debug ? nil : LogLine(output: output).text(record)
  }

  // MARK: - Progress

  private func note(_ event: Event, in state: inout State) {
    guard let run = event.run else { return }
    switch event.kind {
    case .runStarted(let drop, let stages):
      state.active[run.id] = Progress(run: run, drop: drop?.displayed, stages: stages, begun: event.at)
    case .stageStarted: state.active[run.id]?.current = event.stage
    case .stageEnded(let attempt) where [.ok, .skipped, .cached].contains(attempt.state):
      state.active[run.id]?.finished += 1
    case .runEnded, .runWaiting: state.active[run.id] = nil
    default: break
    }
  }

  private func erase(_ state: inout State) {
    guard state.lines > 0 else { return }
    Output.print("\u{1B}[\(state.lines)A\u{1B}[J", terminator: "")
    state.lines = 0
  }

  private func draw(_ state: inout State) {
    guard output.isTerminal, output.hasColor else { return }
    let runs = state.active.values.sorted { $0.run.number < $1.run.number }.prefix(6)
    for run in runs {
      let text = "  \(ProgressBar.text(run.finished, of: run.stages.count)) #\(run.run.number) \(run.run.pipeline)  \(run.current ?? "")"
      Output.print(output.toned(String(text.prefix(max(20, output.columns - 1))), .strong))
      state.lines += 1
    }
  }
}

/// `[████░░░░] 4/8`.
enum ProgressBar {
  private static let width = 16

  static func text(_ finished: Int, of total: Int) -> String {
    let filled = total > 0 ? min(Self.width, finished * width / total) : 0
    return "[" + String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled) + "] \(finished)/\(total)"
  }
}
