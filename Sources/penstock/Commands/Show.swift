import ArgumentParser
import Core
import Foundation
import Host
import Store

struct Show: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tells one run whole: its stages, hooks, files, and why it failed.")

  @OptionGroup var place: Place

  @Argument(help: RunArgument.help)
  var run: String

  @OptionGroup var items: ItemOptions

  func run() async throws {
    let workspace = try place.workspace()
    guard let reader = try place.readerIfAny(workspace) else { throw CommandFailure(RunList.empty) }
    let reference = RunReference.id(try await RunArgument.read(run, workspace, reader).id)
    if items.items || items.failed { return try place.give(try await items.read(reference, reader)) }
    let whole = try await WholeRun.read(reference, reader)
    let log = LogReading.lastOutput(
      of: whole.run.failedStage, in: LogFiles.path(of: whole.run.id, in: workspace), limit: 10)
    var page = RunPage(whole: whole, lastOutput: log, now: Date())
    page.hasFiles = FileManager.default.fileExists(atPath: workspace.state + "/runs/\(whole.run.id.text)")
    try place.give(page)
  }
}

/// One run as a page.
struct RunPage: Answer {
  var whole: WholeRun
  /// The end of what the failed stage wrote.
  var lastOutput: [String]
  var now: Date
  /// Whether its directory in `var/runs` is still there.
  var hasFiles = true

  private var run: Run { whole.run }

  func json() -> JSON { whole.json().merging(["files_kept": .bool(hasFiles)]) }

  func lines(_ output: Output) -> [String] {
    var lines = head(output)
    lines += section("stages", stages(), output) + letGoOn(output)
    lines += section("items", items(), output)
    lines += section("why these levels", levels(), output)
    lines += section("hooks", hooks(), output)
    lines += section("what hooks noted", HookNotes.table(whole.hooks), output)
    let wrong = whole.hooks.count { $0.decision == .error }
    if wrong > 0, run.state == .done {
      lines += ["  " + output.toned("\(Shown.count(wrong, "hook")) went wrong; the run went on all the same", .odd)]
    }
    lines += section("files", files(), output)
    if !hasFiles, !whole.artifacts.isEmpty {
      lines += [
        "  " + output.toned("none of them is there any more; `retention:` in etc/penstock.yaml says how long", .odd)
      ]
    }
    lines += failure(output)
    if let report = whole.report, hasFiles {
      lines += ["", "report: " + output.toned(Shown.words(path(report)), .strong)]
    }
    return lines
  }

  private func section(_ title: String, _ table: Table, _ output: Output) -> [String] {
    table.isEmpty ? [] : ["", output.toned(title, .strong)] + table.lines(output)
  }

  private func head(_ output: Output) -> [String] {
    let took = Shown.span(run.started, run.ended ?? (run.state == .running ? now : nil))
    let title =
      output.toned("run \(run.number)", .strong) + "  "
      + output.toned(run.state.rawValue, Output.tone(of: run.state))
      + (took.isEmpty ? "" : (run.state.isTerminal ? " after " : " for ") + took)
    var table = Table([.left(""), .giving("")], indent: 2)
    func fact(_ name: String, _ value: String) {
      if !value.isEmpty { table.add([.init(name, .quiet), .init(value)]) }
    }
    fact("pipeline", Shown.words(run.pipeline) + (run.version.map { " (version \($0.prefix(12)))" } ?? ""))
    if let drop = run.drop {
      let captures = drop.captures.sorted { $0.key < $1.key }.map { "\($0.key)=\(Shown.words($0.value))" }
      fact("drop", ([drop.name.displayed, Shown.bytes(drop.bytes)] + captures).joined(separator: ", "))
      fact("sha256", drop.sha256 ?? "")
    }
    fact("began", began)
    if let resumes = run.resumes, run.state == .waiting { fact("goes on", LocalTime(now: now).text(resumes)) }
    fact("asked for", asked)
    fact("repeats", repeats)
    if run.state == .done { fact("because", Shown.reason(run)) }
    fact("duplicate of", whole.name(of: run.duplicateOf))
    fact("dropped by", whole.name(of: run.parent))
    fact("seen", run.acknowledged.map { "acknowledged \(LocalTime.full($0))" } ?? "")
    for words in whole.misses { fact("over target", Shown.words(words)) }
    fact("id", run.id.text)
    return [title] + table.lines(output)
  }

  private var repeats: String {
    guard let earlier = run.rerunOf else { return "" }
    guard let known = whole.repeats else { return "run \(earlier.text), of which nothing is remembered any more" }
    let drop = run.drop == nil ? known.drop.map { ", on its drop \($0.name.displayed)" } ?? "" : ""
    return "run \(known.number)\(drop)"
  }

  private var began: String {
    let by =
      switch run.trigger {
      case .drop: "for a drop"
      case .config: "for new content of the pipeline's file"
      case .slot: "for the slot of " + (run.slot.map { LocalTime.full($0) } ?? "a schedule")
      case .manual: "by hand"
      }
    return LocalTime.full(run.started ?? run.created) + ", " + by
  }

  private var asked: String {
    let levels = run.options.granularity.sorted { $0.key < $1.key }.map {
      "\($0.key)=\(Shown.level($0.value))"
    }
    let values = run.options.set.sorted { $0.key < $1.key }.map { "\($0.key)=\(Shown.words($0.value))" }
    let whole = levels + values + (run.options.useCache ? [] : ["no cache"])
    let part = (run.options.from.map { ["from \(Shown.words($0)) on"] } ?? [])
    return (whole + part + (run.options.failedOnly ? ["only what failed"] : [])).joined(separator: ", ")
  }

  private func stages() -> Table {
    var table = Table(
      [
        .left("stage"), .left("state"), .left("level"), .right("tries"), .right("wall"), .right("cpu"),
        .right("peak"),
        .giving("metrics"),
      ], indent: 2)
    for name in whole.stageNames {
      let own = whole.attempts.filter { $0.stage == name }.sorted { $0.n < $1.n }
      guard let last = own.last else {
        table.add([.init(name, .quiet), .init(run.stateOfUntried, .quiet), "", "", "", "", "", ""])
        continue
      }
      let wall = last.usage?.wall ?? (last.ended ?? now).timeIntervalSince(last.started)
      let sample = last.sample.map { " \(Shown.value(.number($0 * 100)))%" } ?? ""
      table.add([
        .init(name, .strong), Shown.state(last.state), .init(Shown.level(last.granularity.level) + sample),
        .init("\(own.count)"), .init(Shown.seconds(wall)), .init(Shown.seconds(last.usage?.cpu)),
        .init(Shown.bytes(last.usage?.peakRSS)), .init(Shown.metrics(last.metrics)),
      ])
    }
    return table
  }

  /// Stages that failed and did not fail the run, with their reasons.
  private func letGoOn(_ output: Output) -> [String] {
    guard run.state == .done else { return [] }
    return whole.stageNames.flatMap { name -> [String] in
      let last = whole.attempts.filter { $0.stage == name }.max { $0.n < $1.n }
      guard let last, [.failed, .timeout, .denied].contains(last.state) else { return [] }
      let reason = last.reason.map { ": \(Shown.words($0))" } ?? ""
      return [
        "  " + output.toned("`\(Shown.words(name))` \(last.state.rawValue)\(reason)", .odd),
        "  `on_error: continue` let the run go on",
      ]
    }
  }

  /// How far fan-out stages came, and the first items that failed.
  private func items() -> Table {
    var table = Table([.left(""), .left(""), .giving("")], indent: 2)
    for name in whole.stageNames {
      guard let progress = whole.items[name] else { continue }
      table.add([.init(Shown.words(name), .strong), .init(Shown.items(progress)), ""])
      for item in whole.failedItems[name] ?? [] {
        table.add(["", .init(Shown.words(Display.brief(item.id)), .bad), .init(Shown.words(item.reason ?? ""))])
      }
      let more = progress.failed - (whole.failedItems[name]?.count ?? 0)
      if more > 0 {
        table.add(["", .init("\(more) more"), .init("`penstock show \(run.number) --failed` lists them", .quiet)])
      }
    }
    return table
  }

  /// Only those that do not go without saying.
  private func levels() -> Table {
    var table = Table([.left(""), .left(""), .giving("")], indent: 2)
    for name in whole.stageNames {
      guard let last = whole.attempts.filter({ $0.stage == name }).max(by: { $0.n < $1.n }) else { continue }
      let because = because(last)
      if because.isEmpty { continue }
      table.add([.init(Shown.words(name), .strong), .init(last.granularity.level.rawValue), .init(because)])
    }
    return table
  }

  private func because(_ attempt: Attempt) -> String {
    let choice = attempt.granularity
    let goesWithoutSaying = choice.level == .coarse && [.standard, .fixed].contains(choice.authority)
    return goesWithoutSaying ? "" : Shown.words(choice.reason)
  }

  private func hooks() -> Table {
    var table = Table(
      [.left("event"), .giving("hook"), .left("decision"), .right("took"), .giving("reason")], indent: 2)
    for call in whole.hooks {
      table.add([
        .init(call.event), .init(Shown.words(call.program)),
        .init(call.decision.words, call.decision == .allow ? .good : .odd),
        .init(Shown.seconds(call.usage.wall)), .init(call.reason.map { Shown.words($0) } ?? ""),
      ])
    }
    return table
  }

  private func files() -> Table {
    var table = Table([.left("stage"), .giving("name"), .right("size"), .giving("path")], indent: 2)
    for artifact in whole.artifacts {
      table.add([
        .init(Shown.words(artifact.stage)), .init(Shown.words(artifact.name)),
        .init(Shown.bytes(artifact.bytes)),
        .init(Shown.words(path(artifact)), .quiet),
      ])
    }
    return table
  }

  private func path(_ artifact: Artifact) -> String { "var/runs/\(run.id.text)/\(artifact.path)" }

  private var why: String {
    switch run.state {
    case .failed: "why it failed"
    case .cancelled: "why it was cancelled"
    case .quarantined: "why it is in quarantine"
    case .queued, .running, .waiting, .done: "why it waits"
    }
  }

  private func failure(_ output: Output) -> [String] {
    guard run.state != .done, run.reason != nil || run.failedStage != nil else { return [] }
    var lines = ["", output.toned(why, run.state.isTerminal ? .bad : .odd)]
    lines += Shown.paragraph(run.reason ?? "").map { "  " + $0 }
    guard let stage = run.failedStage else { return lines }
    let last = whole.attempts.last { $0.stage == stage }
    if let reason = last?.reason, reason != run.reason, run.reason?.contains(reason) != true {
      lines += Shown.paragraph("stage `\(stage)`: \(reason)").map { "  " + $0 }
    }
    if !lastOutput.isEmpty {
      lines += [
        "",
        "  the end of what `\(Shown.words(stage))` wrote (`penstock logs \(run.number) --stage \(Shown.words(stage))` has all):",
      ]
      lines += lastOutput.map { "    │ " + Shown.words($0) }
    }
    return lines
  }
}

extension WholeRun {
  /// Those of its version, then those only attempts know of.
  var stageNames: [String] {
    var names = stages
    for attempt in attempts where !names.contains(attempt.stage) { names.append(attempt.stage) }
    return names
  }

  /// The page a person reads: the last artifact that is one.
  var report: Artifact? {
    artifacts.last { $0.name == "report" }
      ?? artifacts.last { $0.path.hasSuffix(".html") || $0.path.hasSuffix(".htm") }
  }
}
