package import Core
import Foundation
import Store
import Synchronization

/// Runs trials: in the windows of their pipelines, and when a person asks; one at a time.
package final class TrialService: Sendable {
  private struct State {
    var wishes: [Wish] = []
    var isStopping = false
    /// Pipelines that are done with for now, as the version they were asked about.
    var served: [String: (until: Date, version: String)] = [:]
    /// The pipeline that is served.
    var serving: String?
    /// A person does not want the trial that is about to begin.
    var isUnwanted = false
    /// The number of the trial at work.
    var working: Int?
    /// Trials that a person stopped, by number.
    var halted: Set<Int> = []
  }

  /// A trial that a person asked for.
  private struct Wish {
    var pipeline: String
    var budget: Double?
    /// `nil` where nobody waits.
    var isDone: CheckedContinuation<Result<Report, any Error>, Never>?
  }

  let bench: Workbench
  let book: PipelineBook
  let courtesy: Courtesy
  /// Ends hooks that are told of a verdict.
  let shutdown = Cancellation()
  private let bell = Bell()
  private let state = Mutex(State())

  package init(bench: Workbench, book: PipelineBook, courtesy: Courtesy) {
    self.bench = bench
    self.book = book
    self.courtesy = courtesy
  }

  package func stop() {
    let left = state.withLock { state in
      state.isStopping = true
      defer { state.wishes = [] }
      return state.wishes
    }
    refuse(left, "the agent is stopping")
    courtesy.stop()
    shutdown.cancel(.shutdown)
    bell.ring()
  }

  private func refuse(_ wishes: [Wish], _ reason: String) {
    for wish in wishes { wish.isDone?.resume(returning: .failure(Refusal(description: reason))) }
  }

  /// The pipelines in force were read anew.
  package func pipelinesChanged() { bell.ring() }

  // MARK: - What a person asks

  /// Begins a trial of a pipeline, or goes on with the one that is open, and returns when it is decided or paused.
  /// - Parameter budget: CPU seconds; `nil` is that of the pipeline.
  package func work(_ pipeline: String, budget: Double?) async throws -> Report {
    let result = await withCheckedContinuation { continuation in
      let isRefused = state.withLock { state in
        if !state.isStopping {
          state.wishes.append(Wish(pipeline: pipeline, budget: budget, isDone: continuation))
        }
        return state.isStopping
      }
      if isRefused {
        continuation.resume(returning: .failure(Refusal(description: "the agent is stopping")))
      }
      bell.ring()
    }
    return try result.get()
  }

  /// The same without waiting for it.
  /// - Throws: `Refusal` where there can be none.
  package func begin(_ pipeline: String, budget: Double?) async throws {
    let setup = TrialSetup(bench: bench, version: try version(of: pipeline))
    if try await bench.store.reader.openTrial(of: pipeline) == nil {
      _ = try await setup.trial(.manual, try await setup.basis())
    }
    state.withLock { $0.wishes.append(Wish(pipeline: pipeline, budget: budget)) }
    bell.ring()
  }

  /// The same for a command without an agent.
  package func workAlone(_ pipeline: String, budget: Double?) async throws -> Report {
    try await withThrowingTaskGroup(of: Report?.self) { group in
      group.addTask {
        // nobody else would answer who waits
        defer { self.stop() }
        try await self.run(nights: false)
        return nil
      }
      group.addTask {
        defer { self.stop() }
        return try await self.work(pipeline, budget: budget)
      }
      var report: Report?
      while let found = try await group.next() { report = report ?? found }
      guard let report else { throw Refusal(description: "the trial was stopped") }
      return report
    }
  }

  /// Ends the open trial of a pipeline, also in the middle of an evaluation; what it saw stays recorded.
  /// - Returns: it as it ended; `nil` where it had only been asked for.
  /// - Throws: `Refusal` where there is none.
  package func halt(_ pipeline: String) async throws -> Trial? {
    let (asked, isBeginning) = state.withLock { state in
      defer { state.wishes.removeAll { $0.pipeline == pipeline } }
      let isBeginning = state.serving == pipeline && state.working == nil
      if isBeginning { state.isUnwanted = true }
      return (state.wishes.filter { $0.pipeline == pipeline }, isBeginning)
    }
    refuse(asked, TrialConclusion.byPerson)
    let reason = TrialConclusion.byPerson
    guard let trial = try await bench.store.stopTrial(of: pipeline, reason: reason, at: bench.now()) else {
      if isBeginning || !asked.isEmpty { return nil }
      _ = try version(of: pipeline)
      throw Refusal(
        description: "pipeline `\(pipeline)` has no trial that is open; `penstock trials` lists those that ended")
    }
    let isAtWork = state.withLock { state in
      state.halted.insert(trial.number)
      return state.working == trial.number
    }
    bench.say(.trialEnded(trial, reason: reason))
    // who works it clears it away
    if isAtWork { courtesy.interrupt() } else { try? bench.spool.clearTrial(trial.id, inputs: true) }
    return trial
  }

  func isHalted(_ trial: Trial) -> Bool {
    state.withLock { $0.isUnwanted || $0.halted.contains(trial.number) }
  }

  /// Does the work of a trial, which `halt` then interrupts.
  func working<Value>(on trial: Trial, _ body: () async throws -> Value) async throws -> Value {
    state.withLock { $0.working = trial.number }
    defer {
      state.withLock { state in
        state.working = nil
        state.halted.remove(trial.number)
      }
    }
    return try await body()
  }

  // MARK: - One after the other

  /// - Parameter nights: also in the windows of pipelines, not only when asked.
  /// - Throws: what the store throws.
  package func run(nights: Bool) async throws {
    try await bench.store.interruptObservations(reason: "the agent died", at: bench.now())
    while !state.withLock({ $0.isStopping }) {
      if let wish = state.withLock({ $0.wishes.isEmpty ? nil : $0.wishes.removeFirst() }) {
        try await serving(wish.pipeline) { try await serve(wish) }
        continue
      }
      let night = nights ? nextNight() : nil
      if let night, night.wait == .zero {
        isServed(night, until: night.end)
        try await serving(night.pipeline) { try await serve(night) }
        continue
      }
      await bell.wait(atMost: night?.wait, on: bench.clock)
      try Task.checkCancellation()
    }
  }

  private func serving(_ pipeline: String, _ body: () async throws -> Void) async throws {
    state.withLock { $0.serving = pipeline }
    defer { state.withLock { ($0.serving, $0.isUnwanted) = (nil, false) } }
    try await body()
  }

  private func nextNight() -> TrialNight? {
    let windows = book.versions.compactMap { version in
      version.pipeline.trials?.window.map { (version.pipeline.name, $0) }
    }
    let served = state.withLock { $0.served }.filter { book.version(of: $0.key)?.digest == $0.value.version }
    return TrialNight.next(
      of: Dictionary(windows) { first, _ in first }, served: served.mapValues(\.until), at: bench.now(), .current)
  }

  /// Asks the pipeline of `night` again at `until`, or when another version of it is in force.
  func isServed(_ night: TrialNight, until: Date) {
    let version = book.version(of: night.pipeline)?.digest ?? ""
    state.withLock { $0.served[night.pipeline] = (min(until, night.end), version) }
  }

  private func serve(_ wish: Wish) async throws {
    do {
      let version = try self.version(of: wish.pipeline)
      let standard = (version.pipeline.trials ?? TrialRules()).budget / .seconds(1)
      let report = try await work(version, .manual, TrialWork.Allowance(budget: wish.budget ?? standard))
      wish.isDone?.resume(returning: .success(report))
    } catch {
      if wish.isDone == nil { bench.say(.trialRefused(pipeline: wish.pipeline, reason: "\(error)")) }
      wish.isDone?.resume(returning: .failure(error))
      if Self.isOfAll(error) { throw error }
    }
  }

  /// Whether a trouble is not of one trial alone: then the agent ends with it.
  static func isOfAll(_ trouble: any Error) -> Bool {
    if let trouble = trouble as? StoreError { return trouble.isStorageFailure || trouble.isTransient }
    return trouble is CancellationError
  }

  func version(of name: String) throws -> PipelineVersion {
    if let version = book.version(of: name) { return version }
    throw Refusal(description: book.words(onMissing: name))
  }
}
