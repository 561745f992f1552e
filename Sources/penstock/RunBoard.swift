import Core
import Engine
import Foundation

/// The runs at work as a few lines: how far each is, and with what.
struct RunBoard {
  private struct Progress {
    var run: Event.RunTag
    var drop: String?
    var stages: [String]
    var states: [String: AttemptState] = [:]
    var begun: Date
  }

  /// More runs than this are counted, not shown.
  private static let most = 8
  /// With more runs than this the stages are not listed.
  private static let detailed = 3

  private var active: [RunID: Progress] = [:]

  var isEmpty: Bool { active.isEmpty }

  mutating func note(_ event: Event) {
    guard let run = event.run else { return }
    switch event.kind {
    case .runStarted(let drop, let stages):
      active[run.id] = Progress(run: run, drop: drop?.displayed, stages: stages, begun: event.at)
    case .stageStarted: if let stage = event.stage { active[run.id]?.states[stage] = .running }
    case .stageEnded(let attempt): active[run.id]?.states[attempt.stage] = attempt.state
    case .runEnded, .runWaiting: active[run.id] = nil
    default: break
    }
  }

  func lines(_ output: Output, now: Date) -> [String] {
    let runs = active.values.sorted { $0.run.number < $1.run.number }
    if runs.isEmpty { return [] }
    var lines: [String] = []
    for run in runs.prefix(Self.most) {
      lines.append(headline(run, output, now: now))
      if runs.count <= Self.detailed { lines.append(stages(run, output)) }
    }
    if runs.count > Self.most { lines.append("  … and \(runs.count - Self.most) more runs") }
    let width = max(20, output.columns)
    return lines.map { TextWidth.cut($0, to: width) }
  }

  private func headline(_ run: Progress, _ output: Output, now: Date) -> String {
    let finished = run.states.values.count { [.ok, .skipped, .cached].contains($0) }
    let time = Shown.seconds(max(0, now.timeIntervalSince(run.begun).rounded(.down)))
    return [
      "  " + ProgressBar.text(finished, of: run.stages.count, output),
      output.toned("#\(run.run.number) \(Shown.words(run.run.pipeline))", .strong), run.drop,
      output.toned(time, .quiet),
    ]
    .compactMap { $0 }.joined(separator: "  ")
  }

  private func stages(_ run: Progress, _ output: Output) -> String {
    let marks = run.stages.map { stage -> String in
      let name = Shown.words(stage)
      guard let state = run.states[stage] else { return output.toned("· \(name)", .quiet) }
      switch state {
      case .ok, .cached: return output.toned("✓", .good) + " \(name)"
      case .skipped: return output.toned("→ \(name)", .quiet)
      case .running: return output.toned("▸ \(name)", .strong)
      case .failed, .denied, .timeout: return output.toned("✗ \(name)", .bad)
      case .interrupted, .cancelled: return output.toned("! \(name)", .odd)
      }
    }
    return "    " + marks.joined(separator: "  ")
  }
}

/// `████░░░░ 4/8`.
enum ProgressBar {
  private static let width = 16

  static func text(_ finished: Int, of total: Int, _ output: Output? = nil) -> String {
    let filled = total > 0 ? min(width, finished * width / total) : 0
    let (full, empty) = (String(repeating: "█", count: filled), String(repeating: "░", count: width - filled))
    return (output?.toned(full, .good) ?? full) + (output?.toned(empty, .quiet) ?? empty)
      + " \(finished)/\(total)"
  }
}
