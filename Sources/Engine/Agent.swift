package import Core
import Foundation
import Store
import Synchronization

/// The agent: recovers, then takes drops in, works runs and files drops until it is told to stop.
package final class Agent: Sendable {
  package struct Parts: Sendable {
    package var bench: Workbench
    package var inbox: any Inbox
    package var watcher: any Watcher
    package var loadPipelines: @Sendable () -> [LoadedPipeline]
    package var monotonic: @Sendable () -> Duration
    /// Rung by the watcher.
    package var inboxBell: Bell
    package var configBell: Bell
    /// Rung where the database is moved or removed.
    package var stateBell: Bell
    package var zones: any Zones
    /// Since the machine started, also while it slept.
    package var sinceBoot: @Sendable () -> Duration
    /// Rung where the wall clock is set or the machine wakes.
    package var clockBell: Bell

    package init(
      bench: Workbench, inbox: any Inbox, watcher: any Watcher,
      loadPipelines: @escaping @Sendable () -> [LoadedPipeline], monotonic: @escaping @Sendable () -> Duration,
      inboxBell: Bell, configBell: Bell, stateBell: Bell = Bell(), zones: any Zones,
      sinceBoot: @escaping @Sendable () -> Duration, clockBell: Bell
    ) {
      self.bench = bench
      self.inbox = inbox
      self.watcher = watcher
      self.loadPipelines = loadPipelines
      self.monotonic = monotonic
      self.inboxBell = inboxBell
      self.configBell = configBell
      self.stateBell = stateBell
      self.zones = zones
      self.sinceBoot = sinceBoot
      self.clockBell = clockBell
    }
  }

  /// What `up --once` waits for at most before a retry.
  private static let horizon: TimeInterval = 60

  /// How long the outcomes of an agent that stops wait for a full disk or another program's lock.
  private static let lastCommits = Duration.seconds(10)

  package let book = PipelineBook()
  package let dispatcher: Dispatcher
  package let intake: Intake
  package let configs: Configs
  package let starter: Starter
  package let retrier: Retrier
  package let rerunner: Rerunner
  package let pinning: Pinning
  package let policyDrift: PolicyDrift
  package let housekeeper: Housekeeper
  package let trials: TrialService
  package let scheduler: Scheduler
  private let bench: Workbench
  private let filer: Filer
  private let upkeep: Upkeep
  private let watcher: any Watcher
  private let progress = Bell()
  private let stops: AsyncStream<Stop>
  private let stopping: AsyncStream<Stop>.Continuation

  private struct Stop: Sendable {
    var reason: String
    /// Somebody asked for it; else nothing is left to do.
    var isAsked: Bool
  }

  package init(_ parts: Parts) {
    bench = parts.bench
    watcher = parts.watcher
    let (progress, inboxBell) = (progress, parts.inboxBell)
    let slotBell = SlotBell(parts.clockBell)
    let onProgress: @Sendable () -> Void = {
      progress.ring()
      inboxBell.ring()
      slotBell.runEnded()
    }
    upkeep = Upkeep(bench: bench, bell: parts.stateBell)
    filer = Filer(bench: bench) { progress.ring() }
    dispatcher = Dispatcher(bench: bench, book: book, filer: filer, monotonic: parts.monotonic, onProgress: onProgress)
    intake = Intake(
      bench: bench, inbox: parts.inbox, watcher: watcher, book: book, dispatcher: dispatcher,
      bell: inboxBell, monotonic: parts.monotonic, onProgress: { progress.ring() })
    starter = Starter(bench: bench, book: book, dispatcher: dispatcher)
    retrier = Retrier(bench: bench, book: book, dispatcher: dispatcher)
    rerunner = Rerunner(bench: bench, book: book, dispatcher: dispatcher, retrier: retrier)
    pinning = Pinning(bench: bench, book: book)
    policyDrift = PolicyDrift(bench: bench, book: book)
    housekeeper = Housekeeper(bench: bench)
    trials = TrialService(bench: bench, book: book, courtesy: dispatcher.courtesy)
    let (intake, starter, trials, book, bench, dispatcher) = (intake, starter, trials, book, bench, dispatcher)
    scheduler = Scheduler(
      bench: bench, book: book, starter: starter, zones: parts.zones, sinceBoot: parts.sinceBoot, bell: slotBell
    ) { run, version in dispatcher.add(run, priority: version.pipeline.trigger.priority) }
    let scheduler = scheduler
    configs = Configs(bench: bench, book: book, bell: parts.configBell, load: parts.loadPipelines) { fresh in
      intake.pipelinesChanged()
      trials.pipelinesChanged()
      scheduler.changed()
      for version in fresh where version.pipeline.trigger.onConfig && book.version(of: version.pipeline.name) == version
      {
        if try await bench.store.reader.hasConfigRun(version: version.digest, of: version.pipeline.name) { continue }
        let wish = Starter.Wish(pipeline: version.pipeline.name, trigger: .config)
        do { _ = try await starter.start(wish) } catch let refusal as any RunProblem {
          bench.say(.controlRefused(refusal.words))
        }
      }
    }
    (stops, stopping) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(4))
  }

  /// Asks the agent to stop: it lets running stages finish for a while; asked again it ends them, and hooks too.
  package func stop(because reason: String) { stopping.yield(Stop(reason: reason, isAsked: true)) }

  /// What the database and the directories of ended runs suffer from, in words.
  package func troubles() -> [String] { upkeep.troubles + filer.troubles }

  package func watching() -> WatchReport { watcher.report() }

  /// Works until stopped, or with `once` until nothing is left to do.
  /// - Parameter onReady: called when it is recovered and about to take drops in.
  /// - Throws: what the store throws, or a sync that failed: nothing can be promised any more.
  package func run(once: Bool, onReady: @Sendable () -> Void) async throws {
    try await configs.refresh()
    try await Recovery(bench: bench, book: book, intake: intake, dispatcher: dispatcher, filer: filer).run()
    onReady()
    // iterated and not `waitForAll`, which would wait for the others when one has failed
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await self.configs.run() }
      group.addTask { try await self.filer.run() }
      group.addTask { try await self.upkeep.run() }
      group.addTask { try await self.housekeeper.run() }
      group.addTask { try await self.trials.run(nights: !once) }
      if !once { group.addTask { try await self.scheduler.run() } }
      group.addTask {
        try await withThrowingTaskGroup(of: Void.self) { sources in
          sources.addTask { try await self.intake.run() }
          sources.addTask { try await self.dispatcher.run() }
          for try await _ in sources {}
        }
        // only now nothing can be added any more
        self.filer.stop()
        self.upkeep.stop()
        self.housekeeper.stop()
        self.trials.stop()
        self.stopping.finish()
      }
      group.addTask { await self.obeyStops() }
      if once { group.addTask { await self.stopWhenIdle() } }
      for try await _ in group {}
    }
  }

  /// Works the runs that were queued before, and nothing else: for a command without an agent.
  package func runQueued() async throws {
    intake.stop()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await self.filer.run() }
      group.addTask {
        try await self.dispatcher.run()
        self.filer.stop()
        self.stopping.finish()
      }
      group.addTask { await self.obeyStops() }
      group.addTask { await self.stopWhenIdle() }
      for try await _ in group {}
    }
  }

  /// Knows of a run that waits, whatever for: for a command without an agent.
  package func hold(_ run: Run) { dispatcher.park(run, until: nil) }

  /// Ends a run that no agent works, as cancelled, and files its drop.
  package func abandon(_ run: Run) async throws {
    let now = bench.now()
    let left = try await bench.store.reader.runningAttempts().filter { $0.run == run.id }
    try await bench.store.interrupt(left, reason: "the agent died", at: now)
    try await bench.store.end(run.id, RunEnding(.cancelled, reason: "cancelled"), at: now)
    filer.add(Filing(run, ended: .cancelled))
    filer.stop()
    try await filer.run()
  }

  private func obeyStops() async {
    await withTaskGroup { group in
      var isFirst = true
      for await stop in stops {
        if isFirst {
          let isCommand = intake.isStopped && !stop.isAsked
          if !isCommand {
            bench.say(.agentStopping(reason: stop.reason, running: dispatcher.active, drain: bench.settings.drain))
          }
          intake.stop()
          configs.stop()
          scheduler.stop()
          dispatcher.drain(now: false)
          bench.store.hurry(within: bench.settings.drain + Self.lastCommits)
          group.addTask {
            do { try await self.bench.clock.sleep(for: self.bench.settings.drain) } catch { return }
            self.dispatcher.drain(now: true)
          }
        } else {
          bench.say(.agentStoppingNow(reason: stop.reason))
          dispatcher.drain(now: true)
          bench.store.hurry(within: Self.lastCommits)
        }
        isFirst = false
      }
      group.cancelAll()
    }
    progress.ring()
  }

  private func stopWhenIdle() async {
    while !Task.isCancelled {
      let soon = bench.now() + Self.horizon
      let pause = intake.pauseReason
      if intake.isIdle || intake.isStopped || pause != nil, dispatcher.isIdle(before: soon), filer.isIdle {
        let reason = pause.map { "intake is paused: \($0)" } ?? "nothing is left to do"
        stopping.yield(Stop(reason: reason, isAsked: false))
        return
      }
      await progress.wait(atMost: .milliseconds(200), on: bench.clock)
      if dispatcher.isStopping { return }
    }
  }
}
