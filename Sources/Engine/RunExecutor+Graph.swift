import Core
import Foundation
import Store

/// The graph: whatever is ready begins at once, and what has ended is recorded together with what it lets begin.
extension RunExecutor {
  private typealias Results = [(stage: Stage, result: StageExecutor.Ended)]

  private enum News: Sendable {
    case ended(Results)
    /// A delay is over, or there may be room again.
    case woken
    /// The time of the run is up.
    case late
  }

  /// - Returns: when no attempt is at work and none may begin.
  func workGraph(_ session: inout RunSession, opened: Attempt?) async throws -> GraphWork {
    var work = GraphWork()
    defer {
      letGo(&work, keeping: 0)
      for stage in work.entered { leave(stage) }
    }
    try await withThrowingTaskGroup(of: News.self) { group in
      let bell = Bell()
      var isWaking = false
      watchTime(of: session, in: &group)
      if let opened, let stage = pipeline.stages.first {
        session.begin(stage)
        work.running = 1
        start([(stage, opened)], after: nil, in: session, &group)
      }
      while true {
        let (begun, recording) = try begin(&session, try await choices(&session, &work), &work)
        if let unit = begun.first, work.running == 1, !isWaking, isAlone(work, session) {
          // nothing can happen beside it, so it needs no task of its own
          let results: Results
          do { results = try await execute(unit, after: recording, in: session) } catch {
            // what becomes of the run now is found by what is recorded of it
            try await recording?.given()
            throw error
          }
          try await recording?.given()
          try take(results, &session, &work)
          continue
        }
        for unit in begun { start(unit, after: recording, in: session, &group) }
        try await recording?.given()
        if work.running == 0 { break }
        let delay = session.nextDelay
        if !isWaking, work.halt == nil, delay != nil || work.crowded != nil || work.isSqueezed {
          isWaking = true
          bench.turnstile.tell(bell)
          let (clock, wait) = (
            bench.clock, delay.map { max(.zero, Duration.seconds($0.until.timeIntervalSince(bench.now()))) }
          )
          group.addTask {
            await bell.wait(atMost: wait, on: clock)
            return .woken
          }
        }
        switch try await group.next() {
        case .ended(let results): try take(results, &session, &work)
        case .woken: isWaking = false
        case .late: cancellation.cancel(.deadline)
        case nil: break
        }
      }
      group.cancelAll()
    }
    return work
  }

  private func take(_ results: Results, _ session: inout RunSession, _ work: inout GraphWork) throws {
    work.running -= 1
    letGo(&work, keeping: max(0, work.running - 1))
    for (stage, result) in results { try take(result, of: stage, &session, &work) }
    // what became of it is known before the next one is let in
    for (stage, _) in results where work.entered.remove(stage.name) != nil { leave(stage.name) }
  }

  /// Whether the one unit at work is all there is to wait for.
  private func isAlone(_ work: GraphWork, _ session: RunSession) -> Bool {
    pipeline.timeout == nil && session.nextDelay == nil && work.crowded == nil && !work.isSqueezed
  }

  /// Gives places back that are not needed any more.
  private func letGo(_ work: inout GraphWork, keeping kept: Int) {
    while work.extras > kept {
      work.extras -= 1
      bench.turnstile.giveBackPlace()
    }
  }

  private func watchTime(of session: RunSession, in group: inout ThrowingTaskGroup<News, any Error>) {
    guard let timeout = pipeline.timeout else { return }
    let left = max(.zero, timeout - session.worked)
    group.addTask { [clock = bench.clock, recording = bench.recording] in
      // what it is refused for is told elsewhere
      try? await recording?.given()
      do { try await clock.sleep(for: left) } catch { return .woken }
      return .late
    }
  }

  /// - Parameter unit: one stage, or consecutive `each` stages through which items flow.
  private func start(
    _ unit: GraphWork.Unit, after recording: Permit?, in session: RunSession,
    _ group: inout ThrowingTaskGroup<News, any Error>
  ) {
    group.addTask { .ended(try await execute(unit, after: recording, in: session)) }
  }

  /// - Parameter recording: of the attempts; what they work with is prepared beside it.
  private func execute(
    _ unit: GraphWork.Unit, after recording: Permit?, in session: RunSession
  ) async throws -> Results {
    guard let (stage, attempt) = unit.first else { return [] }
    let stages = StageExecutor(
      bench: bench.waiting(for: recording), run: session.run, pipeline: pipeline, mask: mask,
      cancellation: cancellation, shutdown: shutdown, counsel: session.counsel)
    if stage.each == nil { return [(stage, try await stages.execute(attempt, of: stage, in: session))] }
    let results = try await FlowExecutor(stages: stages).execute(unit, in: session)
    return zip(unit, results).map { ($0.stage, $1) }
  }

  // MARK: - What may begin

  /// What begins now: nothing where the run is to stop.
  private func choices(_ session: inout RunSession, _ work: inout GraphWork) async throws -> [GraphWork.Unit] {
    work.crowded = nil
    work.isSqueezed = false
    var begun: [GraphWork.Unit] = []
    // a stage that is passed over may let others begin
    while work.halt == nil, cancellation.cause == nil, !cancellation.stopsAtBoundary {
      guard let passed = try await choose(&session, &work, &begun) else { break }
      session.take(passed.attempt, [])
      work.closing.append(passed.ended)
      if passed.attempt.state == .failed, passed.stage.onError == .fail {
        let words = "stage `\(passed.stage.name)` failed: \(passed.attempt.reason ?? "")"
        work.halt(.ends(RunEnding(.failed, reason: words, failedStage: passed.stage.name)))
      } else if passed.attempt.state == .failed {
        session.settle(passed.stage, leaving: [])
      } else {
        session.settle(passed.stage, leaving: session.passedOn(by: passed.stage))
      }
    }
    return begun
  }

  /// Records what has ended together with what begins.
  private func begin(
    _ session: inout RunSession, _ begun: [GraphWork.Unit], _ work: inout GraphWork
  ) throws -> ([GraphWork.Unit], Permit?) {
    // what ended last is recorded with the end of the run
    if begun.isEmpty, work.running == 0 || work.closing.isEmpty { return ([], nil) }
    let now = bench.now()
    session.run.started = session.run.started ?? now
    let recording = try bench.store.begin(
      Step(work.takeClosing(), of: &session, at: now, opened: begun.flatMap { $0.map(\.attempt) }))
    return (begun, recording)
  }

  private struct Passed {
    var stage: Stage
    var ended: StageExecutor.Ended
    var attempt: Attempt { ended.attempt }
  }

  /// Chooses among the stages that are ready; ends early at one that is passed over.
  private func choose(
    _ session: inout RunSession, _ work: inout GraphWork, _ begun: inout [GraphWork.Unit]
  ) async throws -> Passed? {
    for stage in session.ready(at: bench.now()) {
      if let passed = pass(stage, in: session) { return passed }
      var limit = limit(of: stage)
      if let breaker = stage.breaker,
        let state = try await bench.breakers.state(of: key(of: stage))
      {
        if let until = state.reopens(under: breaker, at: bench.now()) {
          session.delay(stage, RunSession.Delay(until: until, reason: state.words))
          continue
        }
        // one run tries whether it works again
        if state.failures >= breaker.failures { limit = 1 }
      }
      let key = key(of: stage)
      guard bench.turnstile.enter(key, limit: limit) else {
        work.crowded = (key, limit ?? .max)
        continue
      }
      if work.running > work.extras {
        guard bench.turnstile.takePlace() else {
          if limit != nil { leave(stage.name) }
          work.isSqueezed = true
          continue
        }
        work.extras += 1
      }
      work.running += 1
      if limit != nil { work.entered.insert(stage.name) }
      let chain = FlowExecutor.chain(from: stage, in: pipeline, settled: session.settled)
      let stages = chain.isEmpty ? [stage] : chain
      for stage in stages where session.counsel.arm == nil {
        session.counsel.rules[stage.name] = try await RuleAdviser(bench: bench, pipeline: pipeline).opinion(
          on: stage, in: session)
      }
      let unit = stages.map { ($0, firstLook(at: $0, in: session)) }
      for (stage, _) in unit { session.begin(stage) }
      begun.append(unit)
    }
    return nil
  }

  /// A stage whose condition does not hold: recorded as skipped, and what it would get is handed on.
  private func pass(_ stage: Stage, in session: RunSession) -> Passed? {
    guard let condition = stage.when, session.attempts[stage.name] == nil else { return nil }
    let context = session.context.seen(by: stage)
    var outcome = StageOutcome(
      state: .skipped, reason: "`when` does not hold: \(Display.brief(condition))", retry: .never, reply: StageReply())
    do throws(Condition.Malformed) {
      if try Condition.holds(condition, on: session.facts.row(of: session.run, context: context)) { return nil }
    } catch {
      outcome = .failure(
        .failed, "`when` cannot be evaluated: \(error.reason): \(Display.brief(condition))", retry: .never)
    }
    var attempt = firstLook(at: stage, in: session)
    attempt.state = outcome.state
    attempt.reason = outcome.reason.map(mask.masked)
    attempt.error = outcome.error
    attempt.ended = attempt.started
    bench.say(.stageEnded(attempt), run, stage: stage.name, attempt: attempt.n)
    return Passed(
      stage: stage, ended: StageExecutor.Ended(attempt: attempt, outcome: outcome, context: context))
  }

  /// The attempt as it stands before any hook was asked.
  private func firstLook(at stage: Stage, in session: RunSession) -> Attempt {
    Attempt.opening(
      stage, n: (session.attempts[stage.name] ?? 0) + 1, of: run, bench: bench, counsel: session.counsel)
  }

  private func key(of stage: Stage) -> Turnstile.Key { Turnstile.Key(pipeline: pipeline.name, stage: stage.name) }

  private func leave(_ stage: String) {
    bench.turnstile.leave(Turnstile.Key(pipeline: pipeline.name, stage: stage))
  }

  /// One that has a breaker is counted too: while the breaker is half open, one run alone may try.
  private func limit(of stage: Stage) -> Int? { stage.concurrency ?? (stage.breaker == nil ? nil : .max) }
}

extension BreakerState {
  private static func count(_ failures: Int) -> String {
    failures == 1 ? "1 failure" : "\(failures) failures in a row"
  }

  fileprivate var words: String {
    "stage `\(stage)` is left alone: \(Self.count(failures)), the last: \(reason)"
  }
}
