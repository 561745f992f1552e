import Core
import Foundation
import Store

/// What an attempt that has ended does to its run, and how a run comes to its end.
extension RunExecutor {
  func take(
    _ result: StageExecutor.Ended, of stage: Stage, _ session: inout RunSession, _ work: inout GraphWork
  ) throws {
    var result = result
    let complaint = try session.drop?.complaint()
    if let complaint { result.spoil(because: mask.masked(complaint)) }
    session.take(result.attempt, result.hookCalls)
    result.breaker = breakerMark(of: result.attempt, stage)
    if let mark = result.breaker { bench.breakers.mark(mark, in: pipeline.name, at: bench.now()) }
    if let complaint {
      let words = "stage `\(stage.name)` failed: \(complaint)"
      work.halt(.ends(RunEnding(.failed, reason: words, failedStage: stage.name)))
    } else if let deferred = result.deferred {
      let until = bench.now() + deferred.wait / .seconds(1)
      result.attempt.again = until
      session.delay(stage, RunSession.Delay(until: until, reason: deferred.reason, isDeferred: true))
    } else if result.isUnbegun {
      // it begins again with the stage that kept its items from it
    } else if result.outcome.state == .interrupted {
      work.halt(interruption(of: stage))
    } else {
      follow(&result, stage, &session, &work)
    }
    work.closing.append(result)
  }

  private func breakerMark(of attempt: Attempt, _ stage: Stage) -> BreakerMark? {
    guard stage.breaker != nil else { return nil }
    switch attempt.state {
    case .ok, .cached: return .passed(stage: stage.name)
    // a drop that is bad says nothing of the stage
    case .failed where attempt.error?.class != .data, .timeout:
      return .failed(stage: stage.name, reason: attempt.reason ?? "no reason given")
    default: return nil
    }
  }

  private func interruption(of stage: Stage) -> GraphWork.Halt {
    switch Interruption.Verdict(stage.onInterrupt, stage: stage.name, run: run) {
    case .goesOn: .pauses(reason: "stage `\(stage.name)` was interrupted")
    case .fails(let reason): .ends(RunEnding(.failed, reason: reason, failedStage: stage.name))
    case .holds(let reason): .holds(reason: reason)
    }
  }

  /// What comes after an attempt: the stages that need it, itself again, or the end of the run.
  private func follow(
    _ result: inout StageExecutor.Ended, _ stage: Stage, _ session: inout RunSession, _ work: inout GraphWork
  ) {
    var chance = bench.random()
    let next = result.outcome.next(
      for: stage, tries: session.tries[stage.name] ?? 1,
      usedFallback: session.usedFallback.contains(stage.name), using: &chance)
    let reason = result.attempt.reason ?? "no reason given"
    switch next {
    case .goOn: session.settle(stage, leaving: result.files)
    case .fallBack:
      session.fallBack(stage)
      bench.say(
        .stageRetried(after: .zero, reason: "with the parameters of `fallback`: \(reason)"), run,
        stage: stage.name)
    case .tryAgain where cancellation.cause == .person || cancellation.cause == .deadline:
      work.halt(.ends(cancelled(at: stage)))
    case .tryAgain(let wait):
      bench.say(.stageRetried(after: wait, reason: reason), run, stage: stage.name)
      let until = bench.now() + wait / .seconds(1)
      result.attempt.again = until
      session.delay(
        stage, RunSession.Delay(until: until, reason: "stage `\(stage.name)` is tried again: \(reason)"))
    case .stop:
      if cancellation.cause == .person || result.outcome.state == .cancelled {
        return work.halt(.ends(cancelled(at: stage)))
      }
      let words = "stage `\(stage.name)` \(result.outcome.state == .denied ? "was denied" : "failed"): \(reason)"
      work.halt(.ends(RunEnding(.failed, reason: words, failedStage: stage.name)))
    }
  }

  private func cancelled(at stage: Stage?) -> RunEnding {
    guard cancellation.cause == .deadline, let timeout = pipeline.timeout else {
      return RunEnding(.cancelled, reason: "cancelled", failedStage: stage?.name)
    }
    return RunEnding(
      .failed, reason: "took longer than the pipeline's timeout of \(Quantity.text(timeout))", failedStage: stage?.name)
  }

  // MARK: - The end

  /// Records what is left and says what becomes of the run.
  func finish(_ work: GraphWork, _ session: inout RunSession) async throws -> Disposition {
    try await bench.recording?.given()
    switch work.halt {
    case .ends(let ending): return try await end(ending, closing: work.closing, &session)
    case .holds(let reason): return try await pause(work, until: nil, reason, &session)
    case .pauses(let reason) where cancellation.cause == .shutdown || cancellation.stopsAtBoundary:
      return try await pause(work, until: bench.now(), reason, &session)
    case .pauses(let reason):
      return try await park(work, RunSession.Delay(until: bench.now(), reason: reason), &session)
    case nil: break
    }
    if session.isSettled { return try await end(RunEnding(.done), closing: work.closing, &session) }
    if let cause = cancellation.cause, cause != .shutdown {
      return try await end(cancelled(at: nil), closing: work.closing, &session)
    }
    if cancellation.cause == .shutdown || cancellation.stopsAtBoundary {
      return try await pause(work, until: bench.now(), "the agent was stopped", &session)
    }
    if work.crowded == nil, let delay = session.nextDelay { return try await park(work, delay, &session) }
    guard let crowded = work.crowded else {
      throw HostError("no stage of run \(run.number) can begin, and none is at work")
    }
    if !work.closing.isEmpty || !session.hookCalls.isEmpty {
      try await bench.store.advance(Step(work.closing, of: &session, at: bench.now()))
    }
    return .crowded(crowded.key, limit: crowded.limit, until: session.nextDelay?.until)
  }

  private func pause(
    _ work: GraphWork, until: Date?, _ reason: String, _ session: inout RunSession
  ) async throws -> Disposition {
    try await bench.store.advance(
      Step(work.closing, of: &session, at: bench.now(), turn: .waits(until: until, reason: mask.masked(reason))))
    return .interrupted
  }

  private func park(
    _ work: GraphWork, _ delay: RunSession.Delay, _ session: inout RunSession
  ) async throws -> Disposition {
    try await bench.store.advance(
      Step(
        work.closing, of: &session, at: bench.now(),
        turn: .waits(until: delay.until, reason: mask.masked(delay.reason))))
    bench.say(.runWaiting(until: delay.until, reason: delay.reason), run)
    return .parked(until: delay.until, isDeferred: session.delays.values.allSatisfy(\.isDeferred))
  }

  func end(
    _ ending: RunEnding, closing ended: [StageExecutor.Ended], _ session: inout RunSession
  ) async throws -> Disposition {
    try await bench.recording?.given()
    var ending = ending
    ending.reason = ending.reason.map(mask.masked)
    if try await callHooksAfterRun(&ending, &session) == .cut {
      return try await pause(GraphWork(closing: ended), until: bench.now(), "the agent was stopped", &session)
    }
    if ending.state != .quarantined, let complaint = try session.drop?.complaint() {
      if ending.state == .done { ending.state = .failed }
      ending.reason = mask.masked((ending.reason.map { $0 + "; " } ?? "") + complaint)
    }
    onLastProgram()
    let now = bench.now()
    try await bench.store.advance(Step(ended, of: &session, at: now, turn: .ends(ending)))
    let seconds = session.run.started.map { ((now.timeIntervalSince($0)) * 1000).rounded() / 1000 } ?? 0
    bench.say(.runEnded(ending.state, seconds: seconds, reason: ending.reason), run)
    return .ended(ending.state, reason: ending.reason)
  }
}
