import Core
import Foundation

/// `status` for people and programs.
extension StatusReport: Answer {
  func json() -> JSON {
    [
      "api": 1, "home": .string(home), "time": .string(Timestamp.text(now)), "exit": .integer(Int(exitCode)),
      "agent": agent.json,
      "watch": [
        "state": .string(
          troubles.isEmpty && paused == nil ? (agent.state == .running ? "ok" : "off") : "degraded"),
        "mode": watching?["mode"] ?? .null, "filesystem": watching?["filesystem"] ?? .null,
        "overflows": watching?["overflows"] ?? .null, "replacements": watching?["replacements"] ?? .null,
        "troubles": .array(troubles.map { .string($0) }), "paused": paused.map { .string($0) } ?? .null,
      ],
      "state": ["troubles": .array(stateTroubles.map { .string($0) })],
      "queue": .array(queue.map(RunJSON.summary)), "queued": .integer(queued),
      "running": .array(running.map(\.json)), "hooks": .array(hooks.map(\.json)), "last": .array(last.map(summary)),
      "failures": .array(failures.map(summary)),
      "quarantined": .array(quarantined.map(RunJSON.summary)),
      "waiting": .array((inbox.entries(.waiting) + inbox.entries(.ready)).map(\.json)),
      "held": .array(inbox.entries(.held).map(\.json)),
      "unmatched": .array(inbox.entries(.unmatched).map(\.json)),
      "counts": .array(
        counts.map {
          [
            "pipeline": .string($0.pipeline), "state": .string($0.state.rawValue),
            "count": .integer($0.count),
          ]
        }),
      "breakers": .array(breakers.map(\.json)),
      "slots": .array(schedules.map(\.json)), "configs": .array(configs.map(\.json)),
      "policies": .array(policies.map(\.json)), "trials": .array(trials.map(TrialJSON.summary)),
      "nights": .array(nights.map(\.json)),
      "settings": settings?.json ?? ["path": .string("etc/penstock.yaml"), "state": "valid"],
      "orphaned": .array(
        orphaned.sorted { $0.key < $1.key }.map { ["pipeline": .string($0.key), "runs": .integer($0.value)] }),
    ]
  }

  private func summary(_ run: Run) -> JSON {
    RunJSON.summary(run).merging([
      "hook_failures": .integer(hookFailures[run.id] ?? 0),
      "over_targets": .array((misses[run.id] ?? []).map { .string($0) }),
    ])
  }

  func lines(_ output: Output) -> [String] {
    let page = StatusPage(report: self, output: output)
    return page.head() + page.work() + page.outcomes() + page.scheduleLines() + page.inboxLines() + page.policyLines()
      + page.trialLines() + page.configLines()
      + page.advice()
  }
}

private struct StatusPage {
  let report: StatusReport
  let output: Output

  private var time: LocalTime { LocalTime(now: report.now) }

  func head() -> [String] {
    var lines = [output.toned("penstock", .strong) + "  " + Shown.words(report.home), "  agent  " + agent()]
    if report.watching?["mode"] == "polling", report.troubles.isEmpty, let how = report.watching?["how"]?.string {
      lines.append("  watch  " + Shown.words("the inbox is looked at " + how))
    }
    for trouble in report.stateTroubles { lines.append("  state  " + output.toned(Shown.words(trouble), .odd)) }
    for trouble in report.troubles where !report.stateTroubles.contains(trouble) {
      lines.append("  watch  " + output.toned(Shown.words(trouble), .odd))
    }
    if let paused = report.paused {
      lines.append("  intake " + output.toned("paused: " + Shown.words(paused), .odd))
    }
    return lines
  }

  private func agent() -> String {
    let agent = report.agent
    switch agent.state {
    case .running:
      let since = agent.started.map { " since \(time.text($0)), for \(Shown.span($0, report.now))" } ?? ""
      return output.toned("running", .good) + " (pid \(agent.pid ?? 0))" + since
    case .silent:
      return output.toned("does not answer", .bad) + " (pid \(agent.pid ?? 0)): it was stopped, or its disk hangs; "
        + "below is what is recorded"
    case .stopped:
      let when = agent.ended.map { ", stopped \(time.text($0))" } ?? ""
      return output.toned("not running", .odd) + when + "; `penstock up` starts it"
    case .died:
      return output.toned("not running", .bad)
        + ": the last one (pid \(agent.pid ?? 0)) died; `penstock up` takes up what it left"
    case .never:
      return output.toned("not running", .odd) + ": none has worked here yet; `penstock up` starts one"
    }
  }

  func work() -> [String] {
    var running = Table(
      [.right(""), .giving(""), .giving(""), .left(""), .giving(""), .right(""), .left("")], indent: 2)
    for view in report.running {
      let isOrphan = !report.agent.isThere
      running.add([
        .init("#\(view.run.number)", .strong), .init(Shown.words(view.run.pipeline)),
        .init(view.run.drop?.name.displayed ?? ""),
        .init(ProgressBar.text(view.finished.count, of: view.stages.count)),
        .init(hook(of: view.run) ?? view.words, .strong),
        .init(isOrphan ? "" : Shown.seconds(view.elapsed)),
        .init(
          isOrphan ? "interrupted; goes on with `penstock up`" : hook(of: view.run) == nil ? left(view) : "", .quiet),
      ])
    }
    var queue = Table([.right(""), .giving(""), .left(""), .giving(""), .giving("")], indent: 2)
    for run in report.queue.prefix(10) {
      let until = run.resumes.map { "until \(time.text($0))" } ?? ""
      let why = [until, run.reason.map { Shown.words($0) } ?? ""].filter { !$0.isEmpty }.joined(
        separator: ": ")
      queue.add([
        .init("#\(run.number)", .strong), .init(Shown.words(run.pipeline)), Shown.state(run.state),
        .init(run.drop?.name.displayed ?? ""), .init(run.state == .waiting ? why : hook(of: run) ?? ""),
      ])
    }
    let more = report.queue.count > 10 ? ["  … and \(report.queue.count - 10) more"] : []
    return section("running", running) + section("queue", queue, more) + breakers()
  }

  /// The hook that a run waits for.
  private func hook(of run: Run) -> String? {
    report.hooks.first { $0.run == run.id }.map { Shown.words($0.words) }
  }

  private func breakers() -> [String] {
    report.breakers.map { breaker in
      let until = breaker.reopens.map { "left alone until \(time.text($0))" } ?? "the next run tries it again"
      let words =
        "stage `\(breaker.state.stage)` of `\(breaker.state.pipeline)`: \(until): "
        + "\(Shown.count(breaker.state.failures, "failure")) in a row, the last: \(breaker.state.reason)"
      return "  breaker " + output.toned(Shown.words(words), .odd)
    }
  }

  private func left(_ view: RunningView) -> String {
    view.remaining.map { $0 < 1 ? "nearly done" : "about \(Shown.seconds(max(1, $0.rounded()))) left" } ?? ""
  }

  func outcomes() -> [String] {
    var last = Table([.right(""), .giving(""), .left(""), .left(""), .right(""), .giving("")], indent: 2)
    for run in report.last { last.add(row(run)) }
    let named = Set(report.last.map(\.id))
    var failures = Table([.right(""), .giving(""), .left(""), .left(""), .right(""), .giving("")], indent: 2)
    for run in report.failures where !named.contains(run.id) { failures.add(row(run)) }
    let open = report.quarantined.count
    let note =
      open == 0
      ? []
      : [
        "  \(Shown.count(open, "quarantined drop")) not acknowledged; the reason lies beside each in var/quarantine/"
      ]
    var advice =
      report.isFailing || !report.failures.isEmpty
      ? ["  `penstock retry RUN` tries one again, `penstock ack RUN` says that you have seen it"] : []
    advice += report.failures.compactMap { run in
      run.insteadOfRetry.map { "  `retry` would refuse run \(run.number): " + Shown.words($0) }
    }
    return section("last run of each pipeline", last) + section("failures", failures, note) + advice
  }

  private func row(_ run: Run) -> [Table.Cell] {
    let hooks = report.hookFailures[run.id].map { "\(Shown.count($0, "hook")) went wrong" } ?? ""
    let seen = run.isMishap && run.acknowledged != nil ? "acknowledged" : ""
    let missed = report.misses[run.id].flatMap {
      $0.isEmpty ? nil : Shown.words("over its targets: \($0.joined(separator: ", "))")
    }
    let notes = [run.state == .done ? "" : Shown.reason(run), missed ?? "", hooks, seen].filter { !$0.isEmpty }
    let what = [run.drop?.name.displayed ?? "", notes.joined(separator: "; ")].filter { !$0.isEmpty }
    return [
      .init("#\(run.number)", .strong), .init(Shown.words(run.pipeline)), Shown.state(run.state),
      .init(time.text(run.ended)), .init(Shown.span(run.started, run.ended)),
      .init(what.joined(separator: ": ")),
    ]
  }

  func inboxLines() -> [String] {
    var table = Table([.giving(""), .left(""), .giving("")], indent: 2)
    let shown = report.inbox.entries.filter { $0.state != .passedOver }
    for entry in shown.prefix(10) {
      table.add([.init(entry.name.displayed, .strong), entry.cell, .init(entry.words)])
    }
    var notes = shown.count > 10 ? ["  … and \(shown.count - 10) more: `penstock inbox` lists them"] : []
    if let trouble = report.inbox.trouble { notes.append("  " + output.toned(Shown.words(trouble), .bad)) }
    return section("inbox", table, notes)
  }

  func trialLines() -> [String] {
    var table = Table([.right(""), .giving(""), .left(""), .giving("")], indent: 2)
    for trial in report.trials {
      table.add([
        .init("trial \(trial.number)", .strong), .init(Shown.words(trial.pipeline)), .init(trial.state.rawValue),
        .init(Shown.words(trial.reason ?? "")),
      ])
    }
    return section("trials", table, report.nights.isEmpty ? [] : NightView.table(report.nights).lines(output))
  }

  /// Only those of which there is something to tell.
  func policyLines() -> [String] {
    var table = Table([.giving(""), .giving("")], indent: 2)
    for view in report.policies where view.standing.current != nil {
      table.add([.init(Shown.words(view.pipeline.name), .strong), .init(Shown.words(view.words))])
      if let warning = view.warning { table.add(["", .init(Shown.words(warning), .odd)]) }
    }
    return section("policies", table)
  }

  func scheduleLines() -> [String] {
    var table = Table([.giving(""), .left(""), .left(""), .giving("")], indent: 2)
    for view in report.schedules.prefix(10) {
      let next = view.next.map { "next " + time.text(view.fires($0)) } ?? ""
      table.add([
        .init(Shown.words(view.pipeline), .strong), .init(view.schedule.words),
        view.paused == nil ? .init(next) : .init("paused", .odd),
        .init(view.misfire.map { ScheduleView.words($0, time) } ?? "", .odd),
      ])
    }
    let more = report.schedules.count - 10
    return section("schedules", table, more > 0 ? ["  … and \(more) more: `penstock schedule` lists them"] : [])
  }

  func configLines() -> [String] {
    let orphaned = report.orphaned.sorted { $0.key < $1.key }.map { name, runs in
      "  \(Shown.words(name)): its file is gone; \(Shown.count(runs, "run")) to end on the version begun with"
    }
    let invalid = report.invalid.flatMap { fitted($0.words(time)) }
    return settingsLines() + (invalid.isEmpty ? [] : ["", output.toned("invalid pipelines", .strong)] + invalid)
      + (orphaned.isEmpty ? [] : ["", output.toned("orphaned pipelines", .strong)] + orphaned)
  }

  private func settingsLines() -> [String] {
    guard let settings = report.settings else { return [] }
    let effect =
      report.agent.isThere ? "the agent goes on with what it began with, and none starts again" : "no agent starts"
    let words = settings.errorWords() + "; \(effect); `penstock check` tells all"
    return ["", output.toned("invalid settings", .strong)] + fitted(words)
  }

  /// What to do where nothing has happened yet.
  func advice() -> [String] {
    guard report.last.isEmpty, report.running.isEmpty, report.queue.isEmpty, report.failures.isEmpty else {
      return []
    }
    if !report.hasPipelines, !report.invalid.isEmpty { return [] }
    let words =
      report.hasPipelines
      ? RunList.empty
      : "no pipelines yet: put a YAML file into pipelines/ (`penstock schema pipeline` says what is in it)"
    return ["", words]
  }

  private func section(_ title: String, _ table: Table, _ notes: [String] = []) -> [String] {
    table.isEmpty && notes.isEmpty ? [] : ["", output.toned(title, .strong)] + table.lines(output) + notes
  }

  private func fitted(_ text: String) -> [String] {
    let lines = output.fit.map { TextWidth.wrapped(text, to: $0 - 4) } ?? [text]
    return lines.enumerated().map { ($0 == 0 ? "  " : "    ") + $1 }
  }
}
