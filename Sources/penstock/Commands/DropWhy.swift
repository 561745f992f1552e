import Core
import Foundation
import Host

/// Why a drop is still in the inbox.
struct DropWhy: Answer {
  var entry: InboxView.Entry
  var view: InboxReading.Result
  /// Runs on drops of this name, the newest first.
  var earlier: [Run]
  var now: Date

  func json() -> JSON {
    entry.json.merging([
      "api": 1, "where": "inbox", "agent": .bool(view.hasAgent),
      "paused": view.paused.map { .string($0) } ?? .null,
      "pattern": pattern.map { .string($0) } ?? .null,
      "candidates": .array(Routing.candidates(for: entry.name, among: view.versions).map { .string($0) }),
      "earlier": .array(earlier.map(RunJSON.summary)),
      "invalid_pipelines": .array(view.invalid.map { .string($0.path) }),
    ])
  }

  func lines(_ output: Output) -> [String] {
    var facts = Table([.left(""), .giving("")], indent: 2)
    func fact(_ name: String, _ value: String) {
      if !value.isEmpty { facts.add([.init(name, .quiet), .init(value)]) }
    }
    fact("because", entry.state == .ready ? "no agent runs" : entry.words)
    if entry.state == .unmatched { for file in view.invalid { fact("but", file.words) } }
    for writer in entry.writers {
      fact("writer", "process \(writer.pid) (\(Shown.words(writer.program))) has it open for writing")
    }
    fact("size", entry.bytes.map { Shown.bytes($0) } ?? "")
    fact("changed", entry.changed.map { LocalTime.full($0) } ?? "")
    fact("pipeline", pipeline)
    fact("next", next)
    return [output.toned(entry.name.displayed, .strong) + "  in the inbox, \(entry.state.words)"]
      + facts.lines(output) + EarlierRuns(runs: earlier, now: now).lines(output)
  }

  private var pattern: String? {
    view.versions.first { $0.pipeline.name == entry.pipeline }?.pipeline.trigger.inbox?.text
  }

  private var pipeline: String {
    guard let name = entry.pipeline else { return "" }
    let others = Routing.candidates(for: entry.name, among: view.versions).filter { $0 != name }
    return Shown.words(name) + (pattern.map { ", by its pattern `\(Shown.words($0))`" } ?? "")
      + (others.isEmpty ? "" : "; it goes before \(others.map { Shown.words($0) }.joined(separator: ", "))")
  }

  private var next: String {
    if !view.hasAgent {
      if entry.state == .ready { return "`penstock up` claims it" }
      if entry.state == .waiting { return "no agent runs; `penstock up` starts one" }
    }
    if let paused = view.paused { return "nothing is claimed now: \(Shown.words(paused))" }
    switch entry.state {
    case .waiting:
      guard let due = entry.due else { return "" }
      if entry.isUnreadable {
        return "chown or chmod it, or `penstock put` it as the agent's user; looked at again in \(Shown.seconds(due))"
      }
      return entry.waitsForWriter
        ? "looked at again when it is closed, or in \(Shown.seconds(due))"
        : "claimed in about \(Shown.seconds(max(due, 0.1))), unless it changes"
    case .ready: return "claimed at once"
    case .held: return "mend it or move it away; it is looked at again with every scan of the inbox"
    case .unmatched: return "runs as soon as the `trigger` of a pipeline in pipelines/ takes its name"
    case .kept: return "claimed again when its content or its time changes"
    case .passedOver: return "a drop once it is renamed"
    }
  }
}

/// Runs on earlier drops of a name.
struct EarlierRuns {
  var runs: [Run]
  var now: Date

  func lines(_ output: Output) -> [String] {
    if runs.isEmpty { return [] }
    var table = Table([.right(""), .giving(""), .left(""), .left(""), .right(""), .giving("")], indent: 2)
    let time = LocalTime(now: now)
    for run in runs {
      table.add([
        .init("#\(run.number)", .strong), .init(Shown.words(run.pipeline)), Shown.state(run.state),
        .init(time.text(run.ended ?? run.created)), .init(Shown.span(run.started, run.ended)),
        .init(run.state == .done ? "" : Shown.reason(run)),
      ])
    }
    return ["", output.toned("earlier drops of this name", .strong)] + table.lines(output)
  }
}
