import Core
import Foundation
import Store

/// Works one run: its stages as a graph, hooks around them, one transaction at each boundary.
struct RunExecutor: Sendable {
  let bench: Workbench
  let run: Run
  let pipeline: Pipeline
  let cancellation: Cancellation
  /// Also ends hooks that a cancelled run still calls.
  let shutdown: Cancellation
  let mask: SecretMask
  /// Told when no further program of this run is to come: what is left is to record how it ended.
  var onLastProgram: @Sendable () -> Void = {}
  /// Who has an opinion on the levels of stages that are `auto`; the rules are asked stage by stage.
  var counsel = Counsel()

  init(bench: Workbench, run: Run, pipeline: Pipeline, cancellation: Cancellation, shutdown: Cancellation) {
    mask = bench.mask(for: pipeline)
    // what is said of this run hides the secrets this pipeline is given, also those the agent's own log knows not
    self.bench = bench.masking(mask)
    self.run = run
    self.pipeline = pipeline
    self.cancellation = cancellation
    self.shutdown = shutdown
  }

  /// How the work came to its end, for now or for good.
  enum Disposition: Sendable, Equatable {
    case ended(RunState, reason: String?)
    /// Until the moment; `nil` waits for a person. A hook that defers may do so again and again.
    case parked(until: Date?, isDeferred: Bool = false)
    /// Until an attempt of a stage that is limited leaves, or the moment when another one may go on.
    case crowded(Turnstile.Key, limit: Int, until: Date?)
    /// The agent is stopping: the run goes on when it is back.
    case interrupted
  }

  var hooks: HookCaller { HookCaller(bench: bench, run: run, pipeline: pipeline, mask: mask) }

  /// - Parameter opened: the first attempt, where the claim records it.
  func execute(opened: Attempt?) async throws -> Disposition {
    var session = try await self.session(opened: opened)
    session.counsel = counsel
    if cancellation.cause != nil {
      let closing = opened.map { [unbegun($0, context: session.context.whole)] } ?? []
      return try await finish(GraphWork(closing: closing), &session)
    }
    let isNew = session.attempts.isEmpty
    session.drop = session.origin.first.map { DropGuard(bench, run, input: $0, isFresh: isNew || opened != nil) }
    if isNew || opened != nil {
      bench.say(.runStarted(drop: run.drop?.name, stages: pipeline.stages.map(\.name)), run)
      if opened == nil, let stop = try await callHooksBeforeRun(&session) { return stop }
      // once a program had it, its bytes are compared instead
      if let taint = bench.taint(of: run) {
        let closing = opened.map { [unbegun($0, context: session.context.whole)] } ?? []
        return try await end(RunEnding(.quarantined, reason: taint), closing: closing, &session)
      }
    }
    let work = try await workGraph(&session, opened: opened)
    if pipeline.stages.count > 1 { bench.later { [bench] in bench.spool.foresee(.max) } }
    return try await finish(work, &session)
  }

  /// An attempt that was recorded with its claim, and that the wish to stop overtook.
  private func unbegun(_ attempt: Attempt, context: JSON) -> StageExecutor.Ended {
    var attempt = attempt
    let state: AttemptState = cancellation.cause == .shutdown ? .interrupted : .cancelled
    attempt.state = state
    attempt.reason = "stopped before it began"
    attempt.ended = bench.now()
    return StageExecutor.Ended(attempt: attempt, outcome: .failure(state, ""), context: context)
  }

  private func session(opened: Attempt?) async throws -> RunSession {
    let origin = try await RunOrigin(bench: bench, run: run, pipeline: pipeline).parts()
    if let opened {
      // its first attempt was recorded with it just now: there is nothing else to know
      var session = RunSession(run: run, pipeline: pipeline, origin: origin, context: .object([:]))
      session.count(opened)
      return session
    }
    let reader = bench.store.reader
    var session = RunSession(
      run: run, pipeline: pipeline, origin: origin, context: try await reader.context(of: run.id))
    session.taken = try await StageReuse(bench: bench, run: run, pipeline: pipeline).taken()
    let attempts = try await reader.attempts(of: run.id)
    // as it is recorded, so that the log and `status` say the same
    session.run.started = attempts.isEmpty ? nil : try await reader.run(matching: .id(run.id)).started
    if !attempts.isEmpty {
      session.resume(attempts: attempts, artifacts: try await reader.artifacts(of: run.id)) {
        bench.spool.path(of: $0, run: run.id)
      }
    }
    return session
  }
}

extension Attempt {
  /// A first attempt as it stands before any hook was asked.
  static func opening(
    _ stage: Stage, n: Int, of run: Run, bench: Workbench, counsel: Counsel = Counsel()
  ) -> Attempt {
    let choice = GranularityChoice(for: stage, options: run.options, hook: nil, counsel: counsel)
    return Attempt(
      run: run.id, stage: stage.name, n: n, granularity: choice.opinion, sample: choice.sample,
      seed: bench.settings.seed, started: bench.now(), boot: bench.boot)
  }
}
