import Core
import Engine
import Foundation
import Host
import Synchronization

/// What `up` shows of what happens: lines, and on a terminal the runs at work below them.
final class Console: Sendable {
  private struct State {
    var board = RunBoard()
    /// Lines of the board on the screen.
    var drawn = 0
    /// What draws the times anew while something is at work.
    var reactor: Reactor?
    var isTicking = false
  }

  private let output: @Sendable () -> Output
  private let isLive: Bool
  private let json: Bool
  private let quiet: Bool
  private let state = Mutex(State())
  /// The agent never waits for whoever reads this.
  private let screen: PatientOutput

  init(output: Output, json: Bool, quiet: Bool = false) {
    isLive = output.isTerminal && !json && !quiet
    // asked anew each time: windows change
    if output.isTerminal { self.output = { Output.standard() } } else { self.output = { output } }
    self.json = json
    self.quiet = quiet
    screen = PatientOutput { count in
      let words = "\(count) lines were not shown here, for nobody read them; `penstock logs` has them"
      return json ? (try? JSON.object(["message": .string(words)]).line() + "\n") ?? "" : "… \(words)\n"
    }
  }

  func show(_ event: Event) {
    if quiet { return }
    if json { return showJSON(event) }
    let output = self.output()
    state.withLock { state in
      state.board.note(event)
      tickLater(&state)
      if let line = line(for: event, output) {
        draw(&state, above: [line], output)
      } else if event.kind.changesBoard {
        draw(&state, above: [], output)
      }
    }
  }

  /// Keeps the times on the screen going, once a second while something is at work.
  func animate(on reactor: Reactor) {
    screen.attach(to: reactor)
    state.withLock { $0.reactor = isLive ? reactor : nil }
  }

  private func tick() {
    state.withLock { state in
      state.isTicking = false
      if state.board.isEmpty { return }
      draw(&state, above: [], output())
      tickLater(&state)
    }
  }

  private func tickLater(_ state: inout State) {
    guard let reactor = state.reactor, !state.isTicking, !state.board.isEmpty else { return }
    state.isTicking = true
    _ = reactor.after(.seconds(1)) { [weak self] in self?.tick() }
  }

  /// Leaves the terminal clean.
  func finish() {
    state.withLock { state in
      state.reactor = nil
      state.board = RunBoard()
      draw(&state, above: [], output())
    }
    screen.finish()
  }

  private func showJSON(_ event: Event) {
    let record = LogWords.record(of: event)
    if record.level == .debug { return }
    if let line = try? record.json(time: { Timestamp.text($0) }).line() { screen.write(line + "\n") }
  }

  private func line(for event: Event, _ output: Output) -> String? {
    // the board shows what begins and what ends well, and a log has the rest
    if case .outputLine = event.kind { return nil }
    if isLive, case .stageStarted(let choice, _) = event.kind, choice.level == .coarse { return nil }
    let record = LogWords.record(of: event)
    guard record.level != .debug else { return nil }
    return LogLine(output: output).text(record)
  }

  /// One write: what was drawn goes, lines come, the board comes again.
  private func draw(_ state: inout State, above lines: [String], _ output: Output) {
    let board = isLive ? state.board.lines(output, now: Date()) : []
    if lines.isEmpty, board.isEmpty, state.drawn == 0 { return }
    var text = state.drawn > 0 ? "\u{1B}[\(state.drawn)A\r" : ""
    let ending = isLive ? "\u{1B}[K\n" : "\n"
    for line in lines + board { text += line + ending }
    // what is left of a board that was longer
    if state.drawn > lines.count + board.count { text += "\u{1B}[J" }
    state.drawn = board.count
    screen.write(text)
  }
}

extension Event.Kind {
  fileprivate var changesBoard: Bool {
    switch self {
    case .runStarted, .runEnded, .runWaiting, .stageStarted, .stageEnded: true
    default: false
    }
  }
}
