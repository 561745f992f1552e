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

    package init(
      bench: Workbench, inbox: any Inbox, watcher: any Watcher,
      loadPipelines: @escaping @Sendable () -> [LoadedPipeline], monotonic: @escaping @Sendable () -> Duration,
      inboxBell: Bell, configBell: Bell, stateBell: Bell = Bell()
    ) {
      self.bench = bench
      self.inbox = inbox
      self.watcher = watcher
      self.loadPipelines = loadPipelines
      self.monotonic = monotonic
      self.inboxBell = inboxBell
      self.configBell = configBell
      self.stateBell = stateBell
    }
  }

  /// What `up --once` waits for at most before a retry.
  private static let horizon: TimeInterval = 60

  package let book = PipelineBook()
  package let dispatcher: Dispatcher
  package let intake: Intake
  package let configs: Configs
  package let starter: Starter
  private let bench: Workbench
  private let filer: Filer
  private let upkeep: Upkeep
  private let watcher: any Watcher
  private let progress = Bell()
  private let stops: AsyncStream<String>
  private let stopping: AsyncStream<String>.Continuation

  package init(_ parts: Parts) {
    bench = parts.bench
    watcher = parts.watcher
    let (progress, inboxBell) = (progress, parts.inboxBell)
    let onProgress: @Sendable () -> Void = {
      progress.ring()
      inboxBell.ring()
    }
    upkeep = Upkeep(bench: bench, bell: parts.stateBell)
    filer = Filer(bench: bench) { progress.ring() }
    dispatcher = Dispatcher(bench: bench, book: book, filer: filer, onProgress: onProgress)
    intake = Intake(
      bench: bench, inbox: parts.inbox, watcher: watcher, book: book, dispatcher: dispatcher,
      bell: inboxBell, monotonic: parts.monotonic, onProgress: { progress.ring() })
    starter = Starter(bench: bench, book: book, dispatcher: dispatcher)
    let (intake, starter, book, dispatcher) = (intake, starter, book, dispatcher)
    configs = Configs(
      bench: bench, book: book, bell: parts.configBell, load: parts.loadPipelines,
      onNew: { try await starter.prompted(by: $0) },
      onChange: { begun in
        intake.pipelinesChanged()
        for run in begun {
          dispatcher.add(run, priority: book.version(of: run.pipeline)?.pipeline.trigger.priority ?? 0)
        }
      })
    (stops, stopping) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(4))
  }

  /// Asks the agent to stop: it lets running stages finish for a while; asked again it ends them.
  package func stop(because reason: String) { stopping.yield(reason) }

  /// What watching cannot do here, and what the database suffers from, in words.
  package func troubles() -> [String] { watcher.troubles() + upkeep.troubles }

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
      group.addTask {
        try await withThrowingTaskGroup(of: Void.self) { sources in
          sources.addTask { try await self.intake.run() }
          sources.addTask { try await self.dispatcher.run() }
          for try await _ in sources {}
        }
        // only now nothing can be added any more
        self.filer.stop()
        self.upkeep.stop()
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
      for await reason in stops {
        if isFirst {
          bench.say(.agentStopping(reason: reason))
          intake.stop()
          configs.stop()
          dispatcher.drain(now: false)
          group.addTask {
            do { try await self.bench.clock.sleep(for: self.bench.settings.drain) } catch { return }
            self.dispatcher.drain(now: true)
          }
        } else {
          dispatcher.drain(now: true)
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
        stopping.yield(pause.map { "intake is paused: \($0)" } ?? "nothing is left to do")
        return
      }
      await progress.wait(atMost: .milliseconds(200), on: bench.clock)
      if dispatcher.isStopping { return }
    }
  }
}
