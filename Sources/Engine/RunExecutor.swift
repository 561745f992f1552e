import Core
import Foundation
import Store

/// Works one run: stages in order, hooks around them, one transaction at each boundary.
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
  /// Nobody has an opinion yet: rules, policies and trials come with their version.
  private let counsel = Counsel()

  init(bench: Workbench, run: Run, pipeline: Pipeline, cancellation: Cancellation, shutdown: Cancellation) {
    let passed = (bench.settings.environment + pipeline.environment).filter(SecretMask.looksSecret)
    mask = SecretMask(values: (passed + bench.settings.secrets).compactMap { bench.environment[$0] })
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
    /// The agent is stopping: the run goes on when it is back.
    case interrupted
  }

  var hooks: HookCaller { HookCaller(bench: bench, run: run, pipeline: pipeline, mask: mask) }

  /// - Parameter opened: the first attempt, where the claim has recorded it already.
  func execute(opened: Attempt?) async throws -> Disposition {
    var session = try await self.session(opened: opened)
    if let cause = cancellation.cause {
      return try await stop(cause, closing: opened.map { unbegun($0, context: session.context) }, &session)
    }
    let isNew = session.attempts.isEmpty
    session.drop = session.origin.first.map { DropGuard(bench, run, input: $0, isFresh: isNew || opened != nil) }
    if isNew || opened != nil {
      bench.say(.runStarted(drop: run.drop?.name, stages: pipeline.stages.map(\.name)), run)
      if opened == nil, let stop = try await callHooksBeforeRun(&session) { return stop }
    }
    var pending = opened
    // what ended and waits to be recorded together with what begins
    var ended: StageExecutor.Ended?
    while let stage = session.next {
      if pending == nil, let cause = cancellation.cause ?? (cancellation.stopsAtBoundary ? .shutdown : nil) {
        return try await stop(cause, closing: ended, &session)
      }
      // once a program had it, its bytes are compared instead
      if pending != nil || session.attempts.isEmpty, let taint = bench.taint(of: run) {
        let open = pending.map { unbegun($0, context: session.context) }
        return try await end(RunEnding(.quarantined, reason: taint), closing: ended ?? open, &session)
      }
      let attempt: Attempt
      let chain = FlowExecutor.chain(from: stage, in: pipeline, settled: session.settled)
      if !chain.isEmpty {
        var opened = chain.map { ($0, firstLook(at: $0, in: session)) }
        if let open = pending { opened[0].1 = open }
        try await bench.store.advance(
          Step(
            run: run.id, at: bench.now(), closed: ended.map { [$0.attempt] } ?? [], artifacts: ended?.artifacts ?? [],
            hookCalls: session.takeHookCalls(), context: session.context,
            opened: opened.map(\.1).filter { $0 != pending }))
        pending = nil
        ended = nil
        session.run.started = session.run.started ?? bench.now()
        let stages = StageExecutor(
          bench: bench, run: session.run, pipeline: pipeline, mask: mask, cancellation: cancellation,
          shutdown: shutdown, counsel: counsel)
        let results = try await FlowExecutor(stages: stages).execute(opened, in: session)
        for result in results { session.count(result.attempt) }
        let through: [AttemptState] = [.ok, .skipped]
        let decisive =
          results.firstIndex { !(through + [.interrupted]).contains($0.outcome.state) }
          ?? results.firstIndex { !through.contains($0.outcome.state) } ?? results.count - 1
        for (place, result) in results.enumerated() where place != decisive {
          if through.contains(result.outcome.state) { session.settle(chain[place], leaving: result.files) }
          try await bench.store.advance(
            Step(run: run.id, at: bench.now(), closed: [result.attempt], artifacts: result.artifacts))
        }
        ended = results[decisive]
        if results[decisive].outcome.state == .interrupted {
          return try await interrupt(results[decisive], chain[decisive], &session)
        }
        if let stop = try await follow(results[decisive], chain[decisive], &session) { return stop }
        continue
      }
      if let open = pending {
        attempt = open
        pending = nil
      } else {
        attempt = firstLook(at: stage, in: session)
        try await record(ended, opening: attempt, in: &session)
      }
      let stages = StageExecutor(
        bench: bench, run: session.run, pipeline: pipeline, mask: mask, cancellation: cancellation,
        shutdown: shutdown, counsel: counsel)
      var result = try await stages.execute(attempt, of: stage, in: session)
      let complaint = try session.drop?.complaint()
      if let complaint { result.spoil(because: mask.masked(complaint)) }
      ended = result
      session.context = result.context
      session.hookCalls += result.hookCalls
      session.count(result.attempt)
      if let complaint {
        let words = "stage `\(stage.name)` failed: \(complaint)"
        let ending = RunEnding(.failed, reason: words, failedStage: stage.name)
        return try await end(ending, closing: result, &session)
      }
      if let deferred = result.deferred {
        return try await park(result, for: deferred.wait, deferred.reason, &session)
      }
      if result.outcome.state == .interrupted { return try await interrupt(result, stage, &session) }
      if let stop = try await follow(result, stage, &session) { return stop }
    }
    return try await end(RunEnding(.done), closing: ended, &session)
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

  /// A wish to stop that came between two stages.
  private func stop(
    _ cause: Cancellation.Cause, closing ended: StageExecutor.Ended?, _ session: inout RunSession
  ) async throws -> Disposition {
    if cause != .shutdown {
      return try await end(RunEnding(.cancelled, reason: "cancelled"), closing: ended, &session)
    }
    try await bench.store.advance(
      Step(
        run: run.id, at: bench.now(), closed: ended.map { [$0.attempt] } ?? [],
        artifacts: ended?.artifacts ?? [], hookCalls: session.takeHookCalls(), context: session.context,
        turn: .waits(until: bench.now(), reason: "the agent was stopped")))
    return .interrupted
  }

  /// What comes after an attempt: `nil` goes on with the next stage, or with this one again.
  private func follow(
    _ result: StageExecutor.Ended, _ stage: Stage, _ session: inout RunSession
  ) async throws -> Disposition? {
    var chance = bench.random()
    let next = result.outcome.next(
      for: stage, tries: session.tries[stage.name] ?? 1,
      usedFallback: session.usedFallback.contains(stage.name), using: &chance)
    let reason = result.attempt.reason ?? "no reason given"
    switch next {
    case .goOn:
      session.settle(stage, leaving: result.files)
      return nil
    case .fallBack:
      session.fallBack(stage)
      bench.say(
        .stageRetried(after: .zero, reason: "with the parameters of `fallback`: \(reason)"), run,
        stage: stage.name)
      return nil
    case .tryAgain where cancellation.cause == .person:
      return try await end(
        RunEnding(.cancelled, reason: "cancelled", failedStage: stage.name), closing: result, &session)
    case .tryAgain(let wait):
      bench.say(.stageRetried(after: wait, reason: reason), run, stage: stage.name)
      return try await park(result, for: wait, "stage `\(stage.name)` is tried again: \(reason)", &session)
    case .stop:
      if cancellation.cause == .person || result.outcome.state == .cancelled {
        return try await end(
          RunEnding(.cancelled, reason: "cancelled", failedStage: stage.name), closing: result, &session)
      }
      let words =
        "stage `\(stage.name)` \(result.outcome.state == .denied ? "was denied" : "failed"): \(reason)"
      return try await end(
        RunEnding(.failed, reason: words, failedStage: stage.name), closing: result, &session)
    }
  }

  private func session(opened: Attempt?) async throws -> RunSession {
    if let opened {
      // its first attempt was recorded with it just now: there is nothing else to know
      var session = RunSession(
        run: run, pipeline: pipeline, origin: try await RunOrigin(bench: bench, run: run, pipeline: pipeline).parts(),
        context: .object([:]))
      session.count(opened)
      return session
    }
    let reader = bench.store.reader
    var session = RunSession(
      run: run, pipeline: pipeline, origin: try await RunOrigin(bench: bench, run: run, pipeline: pipeline).parts(),
      context: try await reader.context(of: run.id))
    let attempts = try await reader.attempts(of: run.id)
    // as it is recorded, so that the log and `status` say the same
    if opened == nil {
      session.run.started = attempts.isEmpty ? nil : try await reader.run(matching: .id(run.id)).started
    }
    if !attempts.isEmpty {
      session.resume(attempts: attempts, artifacts: try await reader.artifacts(of: run.id)) {
        bench.spool.path(of: $0, run: run.id)
      }
    }
    return session
  }

  /// The attempt as it stands before any hook was asked.
  private func firstLook(at stage: Stage, in session: RunSession) -> Attempt {
    Attempt.opening(
      stage, n: (session.attempts[stage.name] ?? 0) + 1, of: run, bench: bench, counsel: counsel)
  }

  private func record(
    _ ended: StageExecutor.Ended?, opening attempt: Attempt, in session: inout RunSession
  ) async throws {
    let calls = session.takeHookCalls()
    let now = bench.now()
    session.run.started = session.run.started ?? now
    if ended == nil, calls.isEmpty {
      try await bench.store.begin(run.id, attempt: attempt, at: now)
      return
    }
    try await bench.store.advance(
      Step(
        run: run.id, at: now, closed: ended.map { [$0.attempt] } ?? [],
        artifacts: ended?.artifacts ?? [], hookCalls: calls, context: session.context, opened: [attempt]))
  }

  private func park(
    _ ended: StageExecutor.Ended, for wait: Duration, _ reason: String, _ session: inout RunSession
  ) async throws -> Disposition {
    let until = bench.now() + wait / .seconds(1)
    try await bench.store.advance(
      Step(
        run: run.id, at: bench.now(), closed: [ended.attempt], hookCalls: session.takeHookCalls(),
        context: session.context, turn: .waits(until: until, reason: mask.masked(reason))))
    bench.say(.runWaiting(until: until, reason: reason), run)
    return .parked(until: until, isDeferred: ended.deferred != nil)
  }

  private func interrupt(
    _ ended: StageExecutor.Ended, _ stage: Stage, _ session: inout RunSession
  ) async throws -> Disposition {
    switch stage.onInterrupt {
    case .fail:
      let reason = "stage `\(stage.name)` was interrupted, and `on_interrupt: fail` forbids another try"
      return try await end(
        RunEnding(.failed, reason: reason, failedStage: stage.name), closing: ended, &session)
    case .retry, .hold:
      let until = stage.onInterrupt == .retry ? bench.now() : nil
      let reason =
        "stage `\(stage.name)` was interrupted"
        + (until == nil
          ? ", and `on_interrupt: hold` waits for a person: `penstock retry \(run.number)` lets it go on" : "")
      try await bench.store.advance(
        Step(
          run: run.id, at: bench.now(), closed: [ended.attempt], hookCalls: session.takeHookCalls(),
          context: session.context, turn: .waits(until: until, reason: reason)))
      return .interrupted
    }
  }

  func end(
    _ ending: RunEnding, closing ended: StageExecutor.Ended?, _ session: inout RunSession
  ) async throws -> Disposition {
    var ending = ending
    ending.reason = ending.reason.map(mask.masked)
    if try await callHooksAfterRun(&ending, &session) == .cut {
      return try await stop(.shutdown, closing: ended, &session)
    }
    if ending.state != .quarantined, let complaint = try session.drop?.complaint() {
      if ending.state == .done { ending.state = .failed }
      ending.reason = mask.masked((ending.reason.map { $0 + "; " } ?? "") + complaint)
    }
    onLastProgram()
    let now = bench.now()
    try await bench.store.advance(
      Step(
        run: run.id, at: now, closed: ended.map { [$0.attempt] } ?? [], artifacts: ended?.artifacts ?? [],
        hookCalls: session.takeHookCalls(), context: session.context, turn: .ends(ending)))
    let seconds = session.run.started.map { ((now.timeIntervalSince($0)) * 1000).rounded() / 1000 } ?? 0
    bench.say(.runEnded(ending.state, seconds: seconds, reason: ending.reason), run)
    return .ended(ending.state, reason: ending.reason)
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
