import Core
import Store

extension StageExecutor {
  /// Settles an attempt by an outcome there is already, or by its program.
  func reuseOrWork(
    _ stage: Stage, _ part: Envelope.StagePart, _ inputs: [Envelope.FilePart], out: String, in session: RunSession,
    _ ended: inout Ended
  ) async throws {
    if let complaint = complaint(of: inputs) {
      ended.outcome = .failure(.failed, complaint, retry: .never)
      return
    }
    let reuse = StageReuse(bench: bench, run: run, pipeline: pipeline)
    let isTaken = session.taken.contains(stage.name)
    // what it takes is published as this attempt's
    if isTaken || stage.pure { try await bench.recording?.given() }
    switch try await reuse.look(at: stage, part, inputs, context: ended.context, isTaken: isTaken) {
    case .taken(let known, let artifacts, let reuse): take(known, artifacts, reuse, &ended)
    case .skipped(let reason): bypass(stage, in: session, reason, &ended)
    case .refused(let words): ended.outcome = .failure(.failed, words, retry: .never)
    case .works(let reuse):
      ended.attempt.reuse = reuse
      // what the last try with other parameters left is nothing to go on with
      let checkpoint =
        session.beginsAnew.contains(stage.name)
        ? nil : try bench.spool.takeCheckpoint(run.id, stage: stage.name, n: part.attempt)
      try await work(stage, part, inputs, out: out, checkpoint: checkpoint, &ended)
      passOn(stage, in: session, &ended)
    }
  }

  /// What its program left, or what it would have got where that says skip, goes to the stages after it.
  func passOn(_ stage: Stage, in session: RunSession, _ ended: inout Ended) {
    if ended.outcome.state == .skipped { bypass(stage, in: session, ended.outcome.reason ?? "skipped", &ended) }
    if ended.outcome.state == .ok { ended.attempt.reuse?.context = ended.outcome.reply.context }
  }

  /// Why what the stages before left cannot be used; `nil` where it is as it was.
  func complaint(of inputs: [Envelope.FilePart]) -> String? {
    do { return try InputCheck(digests: bench.spool.digests).complaint(of: inputs) } catch { return "\(error)" }
  }

  private func take(_ known: RememberedOutcome, _ artifacts: [Artifact], _ reuse: Reuse, _ ended: inout Ended) {
    let asked = reuse.key == nil ? ", \(run.options.askedWith)" : ""
    if reuse.key == nil, ended.attempt.granularity.level != known.attempt.granularity.level {
      // what it was worked at stands, whatever rules and policy would say now
      let then = known.attempt.granularity
      ended.attempt.granularity = GranularityOpinion(
        then.authority, then.level, reason: "\(then.reason), in run \(known.number)")
      ended.attempt.sample = known.attempt.sample
    }
    let reply = StageReply(metrics: known.attempt.metrics, data: known.attempt.data, context: reuse.context)
    ended.outcome = StageOutcome(
      state: .cached, reason: "from run \(known.number)\(asked)", retry: .never, reply: reply)
    ended.attempt.reuse = reuse
    ended.put(reuse.context)
    ended.artifacts = artifacts
    ended.files = bench.files(artifacts, of: run.id)
  }
}
