import Core
import Foundation
import Store

/// One attempt of one stage: hooks before, the program, hooks after.
struct StageExecutor: Sendable {
  let bench: Workbench
  let run: Run
  let pipeline: Pipeline
  let mask: SecretMask
  let cancellation: Cancellation
  /// Ends after-hooks too, which a cancelled run still calls.
  let shutdown: Cancellation
  let counsel: Counsel

  /// What an attempt comes to, ready to be recorded.
  struct Ended: Sendable {
    var attempt: Attempt
    var outcome: StageOutcome
    var artifacts: [Artifact] = []
    var hookCalls: [HookCall] = []
    /// As this stage sees it: with the patches of hooks and what the reply put there.
    var context: JSON
    /// What the next stages get, where the attempt settled the stage.
    var files: [Envelope.FilePart] = []
    /// A before-hook put the whole run off.
    var deferred: (wait: Duration, reason: String)?
    var breaker: BreakerMark?
    /// It ended, as `interrupted`, before any program of it began: the agent stops, or, in a flow, a stage of which it takes
    /// the items was interrupted.
    var isUnbegun = false

    /// Changes the context as a reply says.
    mutating func put(_ patch: JSON) {
      context = context.merging(patch)
      if patch != .object([:]) { attempt.contextPatches.append(patch) }
    }

    /// Makes a failure of it that no other try mends.
    mutating func spoil(because reason: String) {
      outcome = .failure(.failed, reason, retry: .never)
      attempt.state = .failed
      attempt.reason = reason
      attempt.error = outcome.error
      artifacts = []
      files = []
      deferred = nil
    }
  }

  /// An attempt of which the before-hooks have been asked.
  struct Prepared {
    var part: Envelope.StagePart
    var inputs: [Envelope.FilePart]
    var out: String
    var verdict: HookVerdict.Decision
    var ended: Ended
  }

  var hooks: HookCaller { HookCaller(bench: bench, run: run, pipeline: pipeline, mask: mask) }

  func execute(_ opened: Attempt, of stage: Stage, in session: RunSession) async throws -> Ended {
    let outline = try outline(of: opened, stage, in: session)
    let held = heldProgram(of: stage, outline, in: session)
    async let early = result(of: held, stage)
    // where the hooks cannot be asked
    defer { held?.answer(isWanted: false) }
    var prepared = try await ask(outline, of: stage, in: session)
    let works = decide(&prepared, stage, in: session)
    let isWanted =
      works && held?.isWanted(by: prepared, at: bench.now()) == true && complaint(of: prepared.inputs) == nil
      && mayRun(stage, prepared.part, prepared.inputs, out: prepared.out)
    held?.answer(isWanted: isWanted)
    if isWanted, let held, let result = try await early {
      prepared.ended.attempt.reuse = Reuse()
      try take(result, held.lines, of: stage, prepared.part, out: prepared.out, &prepared.ended)
      passOn(stage, in: session, &prepared.ended)
    } else if works {
      try await reuseOrWork(
        stage, prepared.part, prepared.inputs, out: prepared.out, in: session, &prepared.ended)
    }
    return try await conclude(prepared)
  }

  /// An attempt as it stands before any hook was asked.
  struct Outline {
    var attempt: Attempt
    var part: Envelope.StagePart
    var choice: GranularityChoice
    var inputs: [Envelope.FilePart]
    var context: JSON
    var out: String
    var isFallback: Bool
    var before: [HookCaller.Hook]
  }

  /// Makes the working directory, asks the hooks, and decides the granularity.
  func prepare(_ opened: Attempt, of stage: Stage, in session: RunSession) async throws -> Prepared {
    try await ask(try outline(of: opened, stage, in: session), of: stage, in: session)
  }

  /// Makes the working directory, and finds the hooks that come first.
  private func outline(of opened: Attempt, _ stage: Stage, in session: RunSession) throws -> Outline {
    let choice = GranularityChoice(for: stage, options: run.options, hook: nil, counsel: counsel)
    let isFallback = session.usedFallback.contains(stage.name)
    return Outline(
      attempt: opened,
      part: Envelope.StagePart(
        name: stage.name, attempt: opened.n, granularity: choice.opinion.level, sample: choice.sample,
        seed: opened.seed, params: choice.params(of: stage, fallback: isFallback)),
      choice: choice, inputs: session.inputs(of: stage), context: session.context.seen(by: stage),
      out: try bench.spool.openAttempt(run.id, stage: stage.name, n: opened.n), isFallback: isFallback,
      before: hooks.hooks(at: .before(stage: stage.name)))
  }

  /// Asks the hooks, and decides the granularity.
  private func ask(_ outline: Outline, of stage: Stage, in session: RunSession) async throws -> Prepared {
    var part = outline.part
    let (verdict, before) = try await hooks.call(
      HookCaller.Occasion(
        event: .before(stage: stage.name), stage: part, inputs: outline.inputs, context: outline.context,
        out: outline.out, cancellation: cancellation), found: outline.before)

    let decided = GranularityChoice(
      for: stage, options: run.options, hook: verdict.granularity, counsel: counsel)
    part.granularity = decided.opinion.level
    part.sample = decided.sample
    part.params = params(stage, decided, was: outline.choice, patched: verdict, fallback: outline.isFallback)
    var ended = Ended(
      attempt: outline.attempt, outcome: .failure(.failed, ""), hookCalls: before, context: verdict.context)
    ended.attempt.contextPatches = verdict.contextPatches
    ended.attempt.granularity = decided.opinion
    ended.attempt.sample = decided.sample
    bench.say(
      .stageStarted(decided.opinion, sample: decided.sample), run, stage: stage.name, attempt: part.attempt)
    return Prepared(part: part, inputs: outline.inputs, out: outline.out, verdict: verdict.decision, ended: ended)
  }

  /// Whether its program is to run; where not, what the attempt comes to is decided.
  func decide(_ prepared: inout Prepared, _ stage: Stage, in session: RunSession) -> Bool {
    let opinion = prepared.ended.attempt.granularity
    switch prepared.verdict {
    case .allow:
      if let refusal = refusal(of: opinion, for: stage) {
        prepared.ended.outcome = .failure(.failed, refusal, retry: .never)
      } else if prepared.part.granularity == .off {
        bypass(stage, in: session, "bypassed: \(opinion.reason)", &prepared.ended)
      } else {
        return true
      }
    case .deny(let reason): prepared.ended.outcome = .failure(.denied, reason, retry: .never)
    case .skip(let reason): bypass(stage, in: session, reason, &prepared.ended)
    case .defer(let wait, let reason):
      prepared.ended.outcome = .failure(.interrupted, reason, retry: .never)
      prepared.ended.deferred = (wait, reason)
    case .fail(let reason): prepared.ended.outcome = .failure(failedState, reason)
    }
    return false
  }

  /// Closes the attempt and tells the after-hooks.
  func conclude(_ prepared: Prepared) async throws -> Ended {
    var ended = prepared.ended
    close(&ended)
    if ended.deferred == nil, ended.outcome.state != .interrupted {
      try await callAfterHooks(prepared.part, prepared.inputs, &ended)
    }
    bench.say(.stageEnded(ended.attempt), run, stage: ended.attempt.stage, attempt: ended.attempt.n)
    return ended
  }

  /// A level the stage does not have: `check` and `--granularity` refuse it earlier, a hook only says it now.
  private func refusal(of opinion: GranularityOpinion, for stage: Stage) -> String? {
    guard let uses = stage.uses, let manifest = pipeline.manifest(of: stage),
      !manifest.supported.contains(opinion.level)
    else { return nil }
    let known = manifest.supported.map { "`\($0.rawValue)`" }.joined(separator: ", ")
    return "`\(uses)` does not support `\(opinion.level.rawValue)` (\(opinion.reason)): it supports \(known)"
  }

  /// A hook that is ended by a wish to stop has not failed.
  private var failedState: AttemptState {
    switch cancellation.cause {
    case .person, .deadline: .cancelled
    case .shutdown: .interrupted
    case nil: .failed
    }
  }

  /// Hooks patch what they saw; a hook that also changes the level gets that level's own parameters beneath.
  private func params(
    _ stage: Stage, _ decided: GranularityChoice, was choice: GranularityChoice, patched verdict: HookVerdict,
    fallback: Bool
  ) -> [String: JSON] {
    let patched = verdict.params.object ?? [:]
    if decided.opinion.level == choice.opinion.level { return patched }
    let before = choice.params(of: stage, fallback: fallback)
    var params = decided.params(of: stage, fallback: fallback)
    for (key, value) in patched where before[key] != value { params[key] = value }
    for key in before.keys where patched[key] == nil { params[key] = nil }
    return params
  }

  func bypass(_ stage: Stage, in session: RunSession, _ reason: String, _ ended: inout Ended) {
    ended.outcome = StageOutcome(state: .skipped, reason: reason, retry: .never, reply: ended.outcome.reply)
    ended.files = session.passedOn(by: stage)
  }

  private func close(_ ended: inout Ended) {
    ended.attempt.state = ended.outcome.state
    ended.attempt.reason = ended.outcome.reason.map(mask.masked)
    ended.attempt.metrics = ended.outcome.reply.metrics
    ended.attempt.data = ended.outcome.reply.data
    ended.attempt.error = ended.outcome.error
    ended.attempt.ended = bench.now()
  }
}
