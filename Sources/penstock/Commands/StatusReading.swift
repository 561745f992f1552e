import Core
import Foundation
import Host
import Store

/// Gathers what `status` shows: the live part from the agent, the rest from the database and the files.
struct StatusReading {
  /// Lines of each list.
  private static let few = 5
  private static let manyRuns = 50

  let workspace: Workspace
  let place: Place

  func read(now: Date) async throws -> StatusReport {
    var live: JSON?
    var isSilent = false
    do { live = try place.ask(.live, workspace) } catch is AgentSilent { isSilent = true }
    let reader = try place.readerIfAny(workspace)
    var report = StatusReport(home: workspace.home, now: now)
    report.agent = try await agent(live, reader, isSilent: isSilent)
    report.troubles = (live?["watch"]?["troubles"]?.array ?? []).compactMap(\.string)
    report.stateTroubles = (live?["state"]?["troubles"]?.array ?? []).compactMap(\.string)
    report.paused = live?["watch"]?["paused"]?.string
    report.watching = live?["watch"]
    report.hooks = HookAtWork.all(in: live, now: now)
    let (settings, findings) = place.settings(workspace)
    if findings.hasErrors {
      report.settings = ConfigView(path: SettingsFile.path, isValid: false)
      report.settings?.take(findings.map(\.json))
    }
    let files = live == nil ? place.registry(workspace).pipelines : []
    if let reader {
      try await readRuns(reader, into: &report)
      report.configs = try await configs(files, reader, isLive: live != nil)
    } else {
      report.configs = files.map { ConfigView(file: $0) }
    }
    var versions = files.compactMap(\.version)
    if let reader, live != nil || versions.count < report.configs.count {
      let recorded = try await PipelinesInForce(workspace: workspace, place: place, reader: reader).versions()
      versions += recorded.filter { old in
        !versions.contains { $0.path == old.path } && report.configs.contains { $0.path == old.path }
      }
    }
    report.hasPipelines = !versions.isEmpty
    if let reader { report.breakers = try await breakers(reader, versions.map(\.pipeline), now: now) }
    if let reader {
      report.trials = try await reader.openTrials()
      report.nights = try await NightView.all(versions, reader, now)
      let policies = PolicyReading(workspace: workspace, place: place, reader: reader)
      for version in versions where !version.pipeline.automatic.isEmpty {
        // the agent has read the files of the stages before
        let known = live?["policy_changes"]?[version.pipeline.name]?.array?.compactMap(\.string)
        report.policies.append(try await policies.view(of: version.pipeline, changes: known))
      }
      report.policies.sort { $0.pipeline.name < $1.pipeline.name }
      for run in report.last {
        guard let pipeline = versions.first(where: { $0.digest == run.version })?.pipeline else { continue }
        report.misses[run.id] = try await misses(of: run, pipeline, reader)
      }
    }
    report.schedules = try await ScheduleView.all(versions, reader, now: now)
    let inForce = Set(versions.map(\.pipeline.name))
    let open = report.queue + report.running.map(\.run)
    for run in open where !run.pipeline.isEmpty && !inForce.contains(run.pipeline) {
      report.orphaned[run.pipeline, default: 0] += 1
    }
    report.inbox =
      live.map { InboxView(live: $0, versions: versions) }
      ?? InboxView(lookingAt: workspace.inbox, versions: versions)
    if let reader, live == nil, settings.source == .keep { try await report.inbox.markKept(by: reader) }
    return report
  }

  private func agent(_ live: JSON?, _ reader: StateReader?, isSilent: Bool) async throws -> AgentView {
    if let live {
      return AgentView(
        state: .running, pid: live["pid"]?.double.map { Int($0) },
        started: live["started"]?.string.flatMap(Timestamp.date), ended: nil)
    }
    guard let last = try await reader?.agent() else { return AgentView(state: isSilent ? .silent : .never) }
    return AgentView(
      state: isSilent ? .silent : last.ended == nil ? .died : .stopped, pid: last.pid, started: last.started,
      ended: last.ended)
  }

  private func readRuns(_ reader: StateReader, into report: inout StatusReport) async throws {
    report.queue = try await reader.oldest(in: [.queued, .waiting], limit: Self.manyRuns)
    for run in try await reader.oldest(in: [.running], limit: Self.manyRuns) {
      report.running.append(try await running(run, reader, now: report.now))
    }
    report.counts = try await reader.counts()
    report.queued = report.counts.filter { $0.state == .queued }.map(\.count).reduce(0, +)
    report.last = try await reader.lastEndedRunPerPipeline().filter { !$0.pipeline.isEmpty }
    report.failures = try await reader.recentFailures(limit: Self.few)
    report.hookFailures = try await reader.hookFailures(of: (report.last + report.failures).map(\.id))
    report.quarantined = try await reader.unacknowledgedQuarantine(limit: Self.manyRuns)
  }

  /// Those that are open; a breaker that the pipeline has no more, or not yet enough failures, is none.
  private func breakers(_ reader: StateReader, _ pipelines: [Pipeline], now: Date) async throws -> [BreakerView] {
    try await reader.breakers().compactMap { state in
      let stage = pipelines.first { $0.name == state.pipeline }?.stages.first { $0.name == state.stage }
      guard let breaker = stage?.breaker, state.failures >= breaker.failures else { return nil }
      return BreakerView(state: state, reopens: state.reopens(under: breaker, at: now))
    }
  }

  /// In what a run went over its targets, where these are in force still.
  private func misses(of run: Run, _ pipeline: Pipeline, _ reader: StateReader) async throws -> [String]? {
    guard let targets = pipeline.targets else { return nil }
    return targets.misses(of: run, try await reader.attempts(of: run.id), metric: pipeline.metric)
  }

  private func running(_ run: Run, _ reader: StateReader, now: Date) async throws -> RunningView {
    let whole = try await WholeRun.read(.id(run.id), reader)
    var view = RunningView(run: run, stages: whole.stageNames)
    var current: [String: Double] = [:]
    for attempt in whole.attempts {
      switch attempt.state {
      case .running:
        view.current.append(attempt.stage)
        view.choices[attempt.stage] = attempt.granularity
        current[attempt.stage] = now.timeIntervalSince(attempt.started)
        view.attempt = attempt.n
      case .ok, .skipped, .cached: view.finished.insert(attempt.stage)
      case .denied, .failed, .timeout, .interrupted, .cancelled: break
      }
    }
    var forecast = Forecast(typical: [:])
    for stage in view.stages where !view.finished.contains(stage) {
      let past = try await reader.stageHistory(pipeline: run.pipeline, stage: stage, limit: 5)
      forecast.typical[stage] = Forecast.typical(past)
    }
    view.items = current.keys.compactMap { whole.items[$0] }.sorted { left, right in
      (view.stages.firstIndex(of: left.stage) ?? 0) < (view.stages.firstIndex(of: right.stage) ?? 0)
    }
    forecast.take(view.items, current: current)
    view.remaining = forecast.remaining(stages: view.stages, finished: view.finished, current: current)
    view.elapsed = run.started.map { now.timeIntervalSince($0) }
    return view
  }

  /// What the agent recorded; without one, what the files say now, with what was in force last.
  private func configs(_ files: [LoadedPipeline], _ reader: StateReader, isLive: Bool) async throws
    -> [ConfigView]
  {
    let recorded = try await reader.configs()
    var views: [ConfigView] = []
    for config in recorded where isLive || files.contains(where: { $0.path == config.path }) {
      var view = ConfigView(path: config.path, isValid: config.state == .valid)
      if !isLive, let file = files.first(where: { $0.path == config.path }) {
        view = ConfigView(file: file)
      } else {
        view.take(config.diagnostics)
      }
      if (config.state == .valid) == view.isValid { view.since = config.since }
      if let digest = config.activeDigest {
        view.inForceSince = try await reader.version(digest: digest)?.loaded
      }
      views.append(view)
    }
    let fresh = files.filter { file in !recorded.contains { $0.path == file.path } }.map {
      ConfigView(file: $0)
    }
    return (views + fresh).sorted { $0.path < $1.path }
  }
}
