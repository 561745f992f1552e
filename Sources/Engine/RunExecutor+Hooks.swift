import Core
import Foundation
import Store

/// Hooks around a whole run.
extension RunExecutor {
  func callHooksBeforeRun(_ session: inout RunSession) async throws -> Disposition? {
    for event in [HookEvent.onArrival, .beforeRun] where hooks.hasHooks(at: event) {
      if event == .onArrival, run.trigger != .drop { continue }
      let (verdict, calls) = try await hooks.call(
        HookCaller.Occasion(
          event: event, inputs: session.origin, context: session.context.whole,
          out: try bench.spool.runPath(run.id), cancellation: cancellation))
      for patch in verdict.contextPatches { session.patch(context: patch) }
      session.hookCalls += calls
      if cancellation.cause == .shutdown { return .interrupted }
      if let stop = try await obey(verdict.decision, event, &session) { return stop }
    }
    return nil
  }

  private func obey(
    _ decision: HookVerdict.Decision, _ event: HookEvent, _ session: inout RunSession
  ) async throws -> Disposition? {
    switch decision {
    case .allow: return nil
    case .deny(let reason):
      let state: RunState = event == .onArrival ? .quarantined : .failed
      return try await end(RunEnding(state, reason: "denied: \(reason)"), closing: [], &session)
    case .fail(let reason):
      let ending =
        cancellation.cause == .person
        ? RunEnding(.cancelled, reason: "cancelled") : RunEnding(.failed, reason: reason)
      return try await end(ending, closing: [], &session)
    case .skip(let reason):
      return try await end(RunEnding(.done, reason: "skipped: \(reason)"), closing: [], &session)
    case .defer(let wait, let reason):
      let until = bench.now() + wait / .seconds(1)
      try await bench.store.advance(
        Step(
          run: run.id, at: bench.now(), hookCalls: session.takeHookCalls(),
          turn: .waits(until: until, reason: mask.masked(reason))))
      bench.say(.runWaiting(until: until, reason: reason), run)
      return .parked(until: until, isDeferred: true)
    }
  }

  /// Calls the hooks for a run that was quarantined with its claim, and records them.
  func tellOfQuarantine() async throws {
    let directory = try bench.spool.runPath(run.id)
    let (_, calls) = try await hooks.call(
      HookCaller.Occasion(
        event: .onQuarantine, context: .object([:]), out: directory,
        outcome: Envelope.OutcomePart(
          state: RunState.quarantined.rawValue, reason: run.reason, termination: nil, usage: nil),
        cancellation: shutdown))
    try await bench.store.record(calls)
  }

  /// Calls the hooks for what was decided on the policy of the pipeline, and records them.
  func tell(of verdict: Policy) async throws {
    if !hooks.hasHooks(at: .onVerdict) { return }
    let (_, calls) = try await hooks.call(
      HookCaller.Occasion(
        event: .onVerdict, context: .object([:]), out: try bench.spool.runPath(run.id), verdict: verdict.json,
        cancellation: shutdown))
    try await bench.store.record(calls)
  }

  enum AfterRun { case called, cut }

  /// - Returns: `cut` where the agent ended one whose word counts: then they are called again when it is back.
  func callHooksAfterRun(_ ending: inout RunEnding, _ session: inout RunSession) async throws -> AfterRun {
    let events: [HookEvent] = ending.state == .quarantined ? [.onQuarantine, .afterRun] : [.afterRun]
    for event in events where hooks.hasHooks(at: event) {
      let (verdict, calls) = try await hooks.call(
        HookCaller.Occasion(
          event: event, inputs: session.origin, context: session.context.whole,
          out: try bench.spool.runPath(run.id),
          outcome: Envelope.OutcomePart(
            state: ending.state.rawValue, reason: ending.reason, termination: nil, usage: nil),
          outputs: session.pipeline.stages.flatMap { session.left(by: $0) }, cancellation: shutdown))
      session.hookCalls += calls
      guard ending.state == .done else { continue }
      if case .fail = verdict.decision, shutdown.cause != nil { return .cut }
      switch verdict.decision {
      case .fail(let reason): ending = RunEnding(.failed, reason: mask.masked(reason))
      case .deny(let reason): ending = RunEnding(.failed, reason: mask.masked("denied: \(reason)"))
      case .allow, .skip, .defer: break
      }
    }
    return .called
  }
}
