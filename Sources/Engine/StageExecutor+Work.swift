import Core

extension StageExecutor {
  func work(
    _ stage: Stage, _ part: Envelope.StagePart, _ inputs: [Envelope.FilePart], out: String, checkpoint: String?,
    _ ended: inout Ended
  ) async throws {
    let lines = lines(of: part)
    let context = ended.context
    func request() throws -> Result<ProgramRequest, HostError> {
      try self.request(stage, part, inputs, out: out, checkpoint: checkpoint, context: context, lines: lines)
    }
    var refusal: HostError?
    func allowed() throws -> ProgramRequest {
      do { return try request().get() } catch let error as HostError {
        refusal = error
        throw error
      }
    }
    do {
      let first = try allowed()
      Failpoint.programAsked.pass()
      let worker = worker(of: stage, for: first)
      let result = try await bench.work(first, of: run, stage: stage.name, by: worker) { try allowed() }
      try take(result, lines, of: stage, part, out: out, &ended)
    } catch {
      guard let refusal else { throw error }
      ended.outcome = .failure(.failed, refusal.description, retry: .never)
    }
  }

  /// What the program of an attempt came to.
  func take(
    _ result: ProgramResult, _ lines: LineCollector, of stage: Stage, _ part: Envelope.StagePart, out: String,
    _ ended: inout Ended
  ) throws {
    var result = result
    lines.finish()
    Failpoint.programEnded.pass()
    // the agent is coming down: what is left unrecorded is taken up as interrupted by the next one
    try Task.checkCancellation()
    result.reply = mask.masked(result.reply)
    ended.attempt.termination = result.termination
    ended.attempt.usage = result.usage
    ended.outcome = StageOutcome.of(result, timeout: stage.timeout, limits: stage.limits, lastLine: lines.lastLine)
    if ended.outcome.isBadReply, !result.reply.isEmpty,
      let kept = bench.spool.keepReply(result.reply, of: run.id, as: "\(stage.name).\(part.attempt)")
    {
      ended.outcome.reason? += "; it is kept as `\(kept)`"
    }
    if ended.outcome.state == .cancelled, cancellation.cause == .shutdown {
      ended.outcome = .failure(.interrupted, "the agent was stopped", retry: .never)
      if case .unstarted = result.termination { ended.isUnbegun = true }
    } else if ended.outcome.state == .cancelled, cancellation.cause == .deadline {
      ended.outcome.reason = "the time of the run was up"
    }
    guard ended.outcome.state == .ok else { return }
    ended.put(ended.outcome.reply.context)
    let outputs = ended.outcome.reply.outputs.map { $0.relative(to: out) }
    if outputs.isEmpty { return }
    do {
      ended.artifacts = try bench.spool.publish(outputs, run.id, stage: stage.name, n: part.attempt)
    } catch let error as HostError {
      ended.outcome = .failure(.failed, error.description)
      return
    }
    ended.files = bench.files(ended.artifacts, of: run.id)
  }

  /// Asks the hooks after an attempt, which may undo that it went well.
  func callAfterHooks(
    _ part: Envelope.StagePart, _ inputs: [Envelope.FilePart], _ ended: inout Ended
  ) async throws {
    let event = HookEvent.after(stage: part.name)
    let found = hooks.hooks(at: event)
    if found.isEmpty { return }
    let attempt = ended.attempt
    let directory = try bench.spool.runPath(run.id)
    let (verdict, after) = try await hooks.call(
      HookCaller.Occasion(
        event: event, stage: part, inputs: inputs, context: ended.context,
        out: ended.artifacts.isEmpty ? directory : directory + "/" + part.name,
        outcome: Envelope.OutcomePart(
          state: attempt.state.rawValue, reason: attempt.reason, termination: attempt.termination,
          usage: attempt.usage),
        outputs: ended.files, metrics: attempt.metrics, cancellation: shutdown), found: found)
    ended.hookCalls += after
    ended.context = verdict.context
    ended.attempt.contextPatches += verdict.contextPatches
    switch verdict.decision {
    case .fail where shutdown.cause != nil && attempt.state.isGood:
      ended.outcome = .failure(.interrupted, "the agent was stopped while a hook looked at it", retry: .never)
    case .deny(let reason) where attempt.state.isGood:
      ended.outcome = .failure(.denied, reason, retry: .never)
    case .fail(let reason) where attempt.state.isGood:
      ended.outcome = .failure(.failed, reason, retry: .never)
    default: return
    }
    // what the stage left is void with it
    ended.artifacts = []
    ended.files = []
    ended.attempt.state = ended.outcome.state
    ended.attempt.reason = ended.outcome.reason.map(mask.masked)
    ended.attempt.error = ended.outcome.error
  }
}
