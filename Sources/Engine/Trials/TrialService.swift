package import Core
import Foundation
import Store
import Synchronization
import Trials

/// Runs trials: in the windows of their pipelines, and when a person asks; one at a time.
package final class TrialService: Sendable {
  private struct State {
    var wishes: [Wish] = []
    var isStopping = false
    /// Pipelines that are done with until this window is over.
    var served: [String: Date] = [:]
  }

  /// A trial that a person asked for.
  private struct Wish {
    var pipeline: String
    var budget: Double?
    /// `nil` where nobody waits.
    var isDone: CheckedContinuation<Result<Report, any Error>, Never>?
  }

  /// Why there can be no trial, in words.
  package struct Refusal: Error, Equatable, CustomStringConvertible {
    package let description: String
  }

  /// How a night, or what a person asked for, ended.
  package struct Report: Sendable {
    package var trial: Trial
    /// It goes on with the next night, or when asked again.
    package var isPaused: Bool
    package var reason: String
  }

  let bench: Workbench
  let book: PipelineBook
  private let courtesy: Courtesy
  private let bell = Bell()
  /// Ends hooks that are told of a verdict.
  let shutdown = Cancellation()
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
    for wish in left { wish.isDone?.resume(returning: .failure(Refusal(description: "the agent is stopping"))) }
    courtesy.stop()
    shutdown.cancel(.shutdown)
    bell.ring()
  }

  /// The pipelines in force were read anew.
  package func pipelinesChanged() { bell.ring() }

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

  /// - Parameter nights: also in the windows of pipelines, not only when asked.
  /// - Throws: what the store throws.
  package func run(nights: Bool) async throws {
    try await bench.store.interruptObservations(reason: "the agent died", at: bench.now())
    while !state.withLock({ $0.isStopping }) {
      if let wish = state.withLock({ $0.wishes.isEmpty ? nil : $0.wishes.removeFirst() }) {
        try await serve(wish)
        continue
      }
      let night = nights ? nextNight() : nil
      if let night, night.wait == .zero {
        try await serve(night)
        continue
      }
      await bell.wait(atMost: night?.wait, on: bench.clock)
      try Task.checkCancellation()
    }
  }

  private func serve(_ wish: Wish) async throws {
    do {
      let version = try self.version(of: wish.pipeline)
      let report = try await work(version, .manual) {
        TrialWork.Allowance(budget: wish.budget ?? $0.budget / .seconds(1), until: nil)
      }
      wish.isDone?.resume(returning: .success(report))
    } catch {
      if wish.isDone == nil { bench.say(.trialRefused(pipeline: wish.pipeline, reason: "\(error)")) }
      wish.isDone?.resume(returning: .failure(error))
      if error is StoreError { throw error }
    }
  }

  private func version(of name: String) throws -> PipelineVersion {
    if let version = book.version(of: name) { return version }
    throw Refusal(description: book.words(onMissing: name))
  }

  // MARK: - Nights

  private struct Night {
    var version: PipelineVersion
    var wait: Duration
    var end: Date
  }

  /// The window that is open and not served, or else the one that opens next; `nil` where no pipeline has one.
  private func nextNight() -> Night? {
    let now = bench.now()
    let served = state.withLock { $0.served }
    let clock = Calendar.current.dateComponents([.hour, .minute, .second], from: now)
    let minute = (clock.hour ?? 0) * 60 + (clock.minute ?? 0)
    let second = TimeInterval(clock.second ?? 0)
    let nights = book.versions.compactMap { version -> Night? in
      guard let window = version.pipeline.trials?.window else { return nil }
      let left = TimeInterval(window.left(at: minute) * 60) - second
      if left > 0, served[version.pipeline.name].map({ $0 <= now }) ?? true {
        return Night(version: version, wait: .zero, end: now + left)
      }
      let past = window.left(at: minute)
      let wait = past + window.wait(at: (minute + past) % TrialWindow.day)
      return Night(version: version, wait: .seconds(max(1, Double(wait * 60) - second)), end: now)
    }
    return nights.min { ($0.wait, $0.version.pipeline.name) < ($1.wait, $1.version.pipeline.name) }
  }

  private func serve(_ night: Night) async throws {
    let name = night.version.pipeline.name
    state.withLock { $0.served[name] = night.end }
    do {
      let reader = bench.store.reader
      try await watch(night.version, until: night.end)
      if try await reader.openTrial(of: name) == nil,
        let last = try await reader.trials(pipeline: name).first(where: { $0.origin != .watch }),
        try await isAnswered(last, night.version)
      {
        return
      }
      let spent = try await reader.trialSpending(of: name, since: bench.now() - 12 * 3600)
      _ = try await work(night.version, .window) {
        TrialWork.Allowance(budget: $0.budget / .seconds(1) - spent, until: night.end)
      }
    } catch let refusal as Refusal {
      bench.say(.trialRefused(pipeline: name, reason: refusal.description))
    } catch let trouble as HostError {
      bench.say(.trialRefused(pipeline: name, reason: trouble.description))
    }
  }

  /// Whether the last trial was about the same stages on the same data: asking again would give the same answer.
  private func isAnswered(_ last: Trial, _ version: PipelineVersion) async throws -> Bool {
    guard last.state != .stopped else { return false }
    // what was taken back may be found again, or something else
    if let step = try await bench.store.reader.policy(of: last.pipeline).verdict, step.state == .demoted,
      step.since > last.ended ?? last.created
    {
      return false
    }
    let setup = TrialSetup(bench: bench, version: version)
    let data = try await setup.basis().data
    let isSame = data.digests == last.data.digests && data.drop.captures == last.data.drop.captures
    return isSame && setup.current(last) != nil
  }

  // MARK: - One trial

  private func work(
    _ version: PipelineVersion, _ origin: Trial.Origin, _ allowance: (TrialRules) -> TrialWork.Allowance
  ) async throws -> Report {
    let setup = TrialSetup(bench: bench, version: version)
    let (trial, pipeline) = try await opened(setup, origin)
    let plan = try trial.plan.decoded(as: RacePlan.self)
    let work = try self.work(on: trial, pipeline, plan)
    var race = Race(plan, recorded: try await bench.store.reader.observations(of: trial.number, scores: true))
    bench.say(.trialBegan(trial, arms: plan.arms.count))
    let allowed = allowance(trial.rules)
    let end = try await work.work(&race, allowed)
    try? bench.spool.clearTrial(trial.id, inputs: false)
    return try await conclude(trial, version, plan, race, end, allowed)
  }

  private static let changed = "the stages it compares, or the rules it goes by, were changed"

  /// What evaluates the arms of a trial.
  func work(on trial: Trial, _ pipeline: Pipeline, _ plan: RacePlan) throws -> TrialWork {
    let mask = bench.mask(for: pipeline)
    let executor = ArmExecutor(
      bench: bench.masking(mask), trial: trial, pipeline: pipeline,
      stages: try TrialSetup.stages(for: trial.stage, of: pipeline), inputs: try inputs(of: trial), mask: mask)
    return TrialWork(
      bench: executor.bench, trial: trial, executor: executor, courtesy: courtesy, plan: plan,
      isCurrent: { [bench, book] in
        book.version(of: trial.pipeline).flatMap { TrialSetup(bench: bench, version: $0).current(trial) } != nil
      })
  }

  /// The open trial where it is still about the same stages, else a new one.
  private func opened(_ setup: TrialSetup, _ origin: Trial.Origin) async throws -> (Trial, Pipeline) {
    let name = setup.version.pipeline.name
    if let open = try await bench.store.reader.openTrial(of: name) {
      let pipeline = setup.current(open)
      if let pipeline, (try? inputs(of: open)) != nil { return (open, pipeline) }
      try await stop(open, because: pipeline == nil ? Self.changed : "its copy of the data is not what it was")
    }
    let basis = try await setup.basis()
    var trial = try await setup.trial(origin, basis)
    trial.data.digests = try digests(ofCopiesFor: trial)
    return (try await bench.store.open(trial), basis.pipeline)
  }

  /// Of the copies themselves: an original may be written to at any moment.
  func digests(ofCopiesFor trial: Trial) throws -> [String] {
    try trial.data.paths.enumerated().map { index, path in
      let copy = try bench.spool.keepTrialInput(path, index: index, of: trial.id)
      guard let digest = try bench.spool.digests.digest(ofFile: copy) else {
        throw Refusal(description: "the data `\(Display.escaped(path))` is not there any more")
      }
      return digest
    }
  }

  private func stop(_ trial: Trial, because reason: String) async throws {
    let standing = TrialStanding(state: .stopped, verdict: trial.verdict ?? .null, reason: reason)
    try await bench.store.put(standing, on: trial.number, at: bench.now())
    try? bench.spool.clearTrial(trial.id, inputs: true)
    bench.say(.trialEnded(trial, reason: reason))
  }

  /// Copies, so that the trial goes on with the same bytes whatever becomes of the originals.
  private func inputs(of trial: Trial) throws -> [Envelope.FilePart] {
    try zip(trial.data.paths, trial.data.digests).enumerated().map { index, original in
      let path = try bench.spool.keepTrialInput(original.0, index: index, of: trial.id)
      guard try bench.spool.digests.digest(ofFile: path) == original.1 else {
        throw HostError("the data of trial \(trial.number) was changed: `\(Display.escaped(path))`")
      }
      return Envelope.FilePart(
        name: index == 0 ? "input" : "input-\(index + 1)", path: path, stage: nil, sha256: original.1,
        bytes: bench.spool.bytes(at: path) ?? 0)
    }
  }

  private func conclude(
    _ trial: Trial, _ version: PipelineVersion, _ plan: RacePlan, _ race: Race, _ end: TrialWork.End,
    _ allowed: TrialWork.Allowance
  ) async throws -> Report {
    let known = race.verdict
    func paused(_ why: String) -> Report {
      let reason = "\(why); \(TrialWords.text(known, plan: plan, rules: trial.rules))"
      bench.say(.trialPaused(trial, reason: reason))
      return Report(trial: trial, isPaused: true, reason: reason)
    }
    switch end {
    case .budget: return paused("the CPU time of \(Quantity.text(.seconds(max(0, allowed.budget)))) is used up")
    case .night: return paused("the night is over")
    case .agent: return paused("the agent was stopped")
    case .changed:
      try await stop(trial, because: Self.changed)
      return Report(trial: ended(trial, .stopped), isPaused: false, reason: Self.changed)
    case .broken(let reason):
      try await stop(trial, because: reason)
      return Report(trial: ended(trial, .stopped), isPaused: false, reason: reason)
    case .decided(let verdict):
      var reason = TrialWords.text(verdict, plan: plan, rules: trial.rules)
      var state = Trial.State.kept
      var policy: Policy?
      if case .promote(let shown) = verdict {
        state = .promoted
        let arm = plan.arms[shown.arm]
        let basis = bench.definitions.basis(of: version.pipeline)
        // taken before it is compared: an edit in between is found by the next run
        guard book.version(of: trial.pipeline) == version,
          TrialSetup(bench: bench, version: version).current(trial) != nil
        else {
          try await stop(trial, because: Self.changed)
          return Report(trial: ended(trial, .stopped), isPaused: false, reason: Self.changed)
        }
        policy = try await promote(arm, by: trial, basis, reason: reason)
        if policy == nil { reason += "; its parameters are for you to write into the pipeline" }
      }
      try await bench.store.put(
        TrialStanding(state: state, verdict: try JSON(encoding: verdict), reason: reason), on: trial.number,
        at: bench.now())
      try? bench.spool.clearTrial(trial.id, inputs: true)
      bench.say(.trialEnded(trial, reason: reason))
      if let policy {
        try await VerdictCaller(bench: bench, book: book, shutdown: shutdown).tell(of: policy)
      }
      return Report(trial: ended(trial, state), isPaused: false, reason: reason)
    }
  }

  /// - Returns: `nil` for an arm given by hand with parameters of its own, which no policy can put in force.
  private func promote(_ arm: Arm, by trial: Trial, _ basis: StageBasis, reason: String) async throws -> Policy? {
    if let variant = trial.rules.arms?.first(where: { $0.name == arm.variant }), !variant.params.isEmpty { return nil }
    // an agent that died between the two has recorded it already
    let standing = try await bench.store.reader.policy(of: trial.pipeline).verdict
    if let standing, standing.source == .trial(trial.number) { return standing }
    return try await bench.store.promote(
      trial.pipeline, arm.levels, trial: trial.number, basis: basis, reason: reason, at: bench.now())
  }

  private func ended(_ trial: Trial, _ state: Trial.State) -> Trial {
    var ended = trial
    ended.state = state
    return ended
  }
}
