import Core
import Foundation
import Host
import Store

/// Why a run went as it did.
struct RunWhy: Answer {
  var whole: WholeRun
  var version: PipelineVersion?
  /// Whether a run that began now would use the same version.
  var isInForce: Bool?
  /// The run that repeats this one.
  var again: Run?
  /// Other runs on drops of its name.
  var earlier: [Run] = []
  /// What it waits for now.
  var hook: HookAtWork?
  /// Only this one.
  var stage: String?
  /// Why stages were worked, or came from the cache.
  var reuse: ReuseWhy
  var now: Date

  private var run: Run { whole.run }
  private var repeats: Run? { whole.repeats }
  /// The first done run of the pipeline on the same content.
  private var duplicateOf: Run? { run.duplicateOf.flatMap { whole.related[$0] } }
  /// The run one of whose programs put the drop into the inbox.
  private var parent: Run? { run.parent.flatMap { whole.related[$0] } }

  static func read(_ run: Run, stage: String? = nil, _ reader: StateReader, now: Date) async throws -> RunWhy {
    let whole = try await WholeRun.read(.id(run.id), reader)
    var version: PipelineVersion?
    if let digest = run.version { version = try await reader.version(digest: digest) }
    var answer = RunWhy(
      whole: whole, version: version, stage: stage,
      reuse: try await ReuseWhy.read(whole, version, only: stage, reader), now: now)
    let configs = try await reader.configs()
    // `nil` where no agent has looked at the files yet
    answer.isInForce = configs.isEmpty ? nil : configs.contains { $0.activeDigest == run.version }
    answer.again = try await reader.repetition(of: run.id)
    return answer
  }

  func json() -> JSON {
    var json = whole.json().merging([
      "where": .string(run.place), "path": run.path.map { .string($0) } ?? .null,
      "pattern": (version?.pipeline.trigger.inbox?.text).map { .string($0) } ?? .null,
      "version_path": (version?.path).map { .string($0) } ?? .null,
      "version_in_force": isInForce.map { .bool($0) } ?? .null,
      "repeats": repeats.map { .integer($0.number) } ?? .null,
      "again": again.map(RunJSON.summary) ?? .null, "hook": hook?.json ?? .null,
      "earlier": .array(earlier.map(RunJSON.summary)),
    ])
    let stages = (json["stages"]?.array ?? []).filter { stage == nil || $0["name"]?.string == stage }
    json = json.merging(["stages": .array(stages.map(explained))])
    return json
  }

  /// A stage with the words on its last attempt.
  private func explained(_ member: JSON) -> JSON {
    guard let name = member["name"]?.string, let last = attempts(of: name).last else { return member }
    return member.merging(["why": words(on: last).map { .string($0) } ?? .null])
  }

  private func attempts(of stage: String) -> [Attempt] {
    whole.attempts.filter { $0.stage == stage }.sorted { $0.n < $1.n }
  }

  private func words(on attempt: Attempt) -> String? {
    reuse.words(for: attempt, whole.reuse[attempt.stage]?[attempt.n])
  }

  func lines(_ output: Output) -> [String] {
    var lines = stage == nil ? head(output) : [title(output)]
    lines += section(stage == nil ? "stages" : "tries", stages, output)
    lines += section("hooks that decided", hooks, output)
    if stage == nil { lines += EarlierRuns(runs: earlier, now: now).lines(output) }
    return lines
  }

  private func title(_ output: Output) -> String {
    output.toned("run \(run.number)", .strong) + "  "
      + output.toned(run.state.rawValue, Output.tone(of: run.state))
      + (stage.map { ", stage \(Shown.words($0))" } ?? "")
  }

  private func head(_ output: Output) -> [String] {
    var facts = Table([.left(""), .giving("")], indent: 2)
    func fact(_ name: String, _ value: String) {
      if !value.isEmpty { facts.add([.init(name, .quiet), .init(value)]) }
    }
    fact("because", because)
    fact("began", began)
    fact("pipeline", pipeline)
    fact("drop", drop)
    fact("repeats", repeats.map { "run \($0.number), which is \($0.state.rawValue)" } ?? "")
    fact("content", duplicateOf.map { "the same as that of run \($0.number), which is \($0.state.rawValue)" } ?? "")
    fact("dropped by", parent.map { "a program of run \($0.number)" } ?? "")
    fact("again", again.map { "run \($0.number), which is \($0.state.rawValue)" } ?? "")
    fact("seen", run.acknowledged.map { "acknowledged \(LocalTime.full($0))" } ?? "")
    fact("next", next)
    return [title(output)] + facts.lines(output)
  }

  private var wellEnded: String {
    let failed = whole.stageNames.filter { name in attempts(of: name).last.map { !$0.state.isGood } ?? false }
    if failed.isEmpty { return "every stage has ended well" }
    return failed.map { "`\(Shown.words($0))`" }.joined(separator: ", ")
      + " failed and `on_error: continue` let the run go on; all else has ended well"
  }

  private var because: String {
    let reason = Shown.reason(run)
    if let hook, !run.state.isTerminal {
      return "its \(Shown.words(hook.words)), at \(hook.event)"
        + (hook.stage.map { " of stage `\(Shown.words($0))`" } ?? "")
    }
    let until = run.resumes.map { " until \(LocalTime(now: now).text($0))" } ?? ""
    switch run.state {
    case .done: return reason.isEmpty ? wellEnded : reason
    case .queued: return "other runs have the places; it begins when one is free"
    case .running:
      let current = whole.attempts.filter { $0.state == .running }.map { "`\($0.stage)`" }
      return current.isEmpty ? "between two stages" : "stage \(current.joined(separator: ", ")) is at work"
    case .waiting where run.isHeld && !reason.isEmpty: return reason
    case .waiting: return "waits\(until)" + (reason.isEmpty ? "" : ": \(reason)")
    case .failed, .cancelled, .quarantined: return reason.isEmpty ? "no reason was recorded" : reason
    }
  }

  private var began: String {
    let time = LocalTime.full(run.started ?? run.created)
    if repeats != nil, run.drop != nil { return "\(time), tried again by hand" }
    switch run.trigger {
    case .manual: return "\(time), by hand"
    case .config: return "\(time), for new content of the pipeline's file"
    case .slot: return "\(time), for the slot of " + (run.slot.map { LocalTime.full($0) } ?? "a schedule")
    case .drop:
      let pattern = version?.pipeline.trigger.inbox.map { ", by the pattern `\(Shown.words($0.text))`" } ?? ""
      let captures = (run.drop?.captures ?? [:]).sorted { $0.key < $1.key }.map {
        "\($0.key)=\(Shown.words($0.value))"
      }
      return "\(time), for a drop\(pattern)"
        + (captures.isEmpty ? "" : " with \(captures.joined(separator: ", "))")
    }
  }

  private var pipeline: String {
    guard !run.pipeline.isEmpty else { return "none took it" }
    guard let version else { return Shown.words(run.pipeline) }
    return "\(Shown.words(run.pipeline)), \(Shown.words(version.path)) as loaded \(LocalTime.full(version.loaded))"
      + (isInForce.map { $0 ? "; in force still" : "; not in force any more" } ?? "")
  }

  private var drop: String {
    guard let drop = run.drop else {
      guard let data = repeats?.told else { return "" }
      return "none of its own; it read \(data.name.displayed), the drop of run \(repeats?.number ?? 0)"
    }
    let size = "\(drop.name.displayed), \(Shown.bytes(drop.bytes))"
    return size + (run.path.map { ", in \($0)" } ?? "")
  }

  private var next: String {
    if run.state == .waiting, !run.isHeld { return "`penstock retry \(run.number)` lets it go on now" }
    if run.isHeld { return "`penstock retry \(run.number)` lets it go on" }
    guard run.isMishap, again == nil, run.drop != nil, run.filed else { return "" }
    let ack = run.acknowledged == nil ? "`penstock ack \(run.number)` says that you have seen it" : ""
    if let remedy = run.insteadOfRetry { return remedy + (ack.isEmpty ? "" : "; " + ack) }
    return "`penstock retry \(run.number)` tries it again"
      + (ack.isEmpty ? "" : "; " + ack)
  }

  private var stages: Table {
    var table = Table(
      [.left("stage"), .right("try"), .left("state"), .left("level"), .giving("why")], indent: 2)
    for name in whole.stageNames where stage == nil || name == stage {
      let own = attempts(of: name)
      if own.isEmpty { table.add([.init(Shown.words(name), .quiet), "", .init(run.stateOfUntried, .quiet), "", ""]) }
      for attempt in own {
        let level = Shown.level(attempt.granularity.level)
        let reason = attempt.state == .cached ? nil : attempt.reason.map { Shown.words($0) }
        let items = attempt.n == own.last?.n ? whole.items[name].map { Shown.items($0) } ?? "" : ""
        let why = [reason ?? "", items, Shown.words(words(on: attempt) ?? ""), Self.reason(of: attempt.granularity)]
        table.add([
          .init(Shown.words(name), .strong), .init("\(attempt.n)"), Shown.state(attempt.state),
          .init(level), .init(why.filter { !$0.isEmpty }.joined(separator: "; ")),
        ])
      }
    }
    return table
  }

  private static func reason(of choice: GranularityOpinion) -> String {
    "\(choice.level.rawValue): \(Shown.words(choice.reason))"
  }

  private var hooks: Table {
    var table = Table([.left("event"), .left("hook"), .left("decision"), .giving("reason")], indent: 2)
    for call in whole.hooks where call.decision != .allow && (stage == nil || call.stage == stage) {
      table.add([
        .init(call.event), .init(Shown.words(call.program)), .init(call.decision.words, .odd),
        .init(call.reason.map { Shown.words($0) } ?? ""),
      ])
    }
    return table
  }

  private func section(_ title: String, _ table: Table, _ output: Output) -> [String] {
    table.isEmpty ? [] : ["", output.toned(title, .strong)] + table.lines(output)
  }
}

extension Run {
  /// Of a stage that was never tried.
  var stateOfUntried: String { state.isTerminal ? "not begun" : "pending" }

  /// What to do instead where `retry` refuses it; `nil` where it may try it again.
  var insteadOfRetry: String? { state == .quarantined ? reason.flatMap { SpecialDrop.remedy(of: $0) } : nil }

  /// Where its drop is: `work`, `done`, `failed`, `quarantine`.
  var place: String {
    switch state {
    case _ where drop == nil: "nowhere"
    case _ where !filed: "work"
    case .done: "done"
    case .quarantined: "quarantine"
    case .failed, .cancelled, .queued, .running, .waiting: "failed"
    }
  }

  /// The same as a path in the workspace; `nil` without a drop.
  var path: String? { drop.map { "var/\(place)/\(id.text)/\($0.name.displayed)" } }
}
