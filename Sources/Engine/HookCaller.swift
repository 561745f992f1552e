import Core
import Foundation

/// Runs the hooks of one moment: those of the directories, then those of the YAML.
struct HookCaller: Sendable {
  let bench: Workbench
  let run: Run
  let pipeline: Pipeline
  let mask: SecretMask

  /// What a hook is told besides the patches of those before it.
  struct Occasion {
    var event: HookEvent
    var stage: Envelope.StagePart?
    var inputs: [Envelope.FilePart] = []
    var context: JSON
    /// The working directory.
    var out: String
    var outcome: Envelope.OutcomePart?
    var outputs: [Envelope.FilePart]?
    var metrics: [String: JSON]?
    var cancellation: Cancellation?
  }

  private struct Hook {
    var event: String
    var file: ProgramFile
    var arguments: [String]
    var timeout: Duration
    var onError: HookProgram.OnError
    /// The pipeline names it, so that it cannot run is its failure; a file in a directory is passed over.
    var isNamed: Bool
    /// It answers one request per line and stays.
    var isPersistent: Bool
  }

  /// Whether any hook would run at this moment.
  func hasHooks(at event: HookEvent) -> Bool {
    event.names.contains { !bench.programs.hooks(of: $0).isEmpty || !(pipeline.hooks[$0] ?? []).isEmpty }
  }

  func call(_ occasion: Occasion) async throws -> (verdict: HookVerdict, calls: [HookCall]) {
    var verdict = HookVerdict(params: .object(occasion.stage?.params ?? [:]), context: occasion.context)
    var calls: [HookCall] = []
    for hook in hooks(at: occasion.event) {
      if let refusal = hook.file.refusal {
        bench.say(
          .hookRefused(event: hook.event, program: hook.file.shown, reason: refusal), run,
          stage: occasion.stage?.name)
        if hook.isNamed, hook.onError == .fail {
          verdict.decision = .fail(reason: "hook `\(hook.file.shown)` does not run: \(refusal)")
          break
        }
        continue
      }
      if let warning = hook.file.warning {
        bench.say(.hookWarned(program: hook.file.shown, warning: warning), run, stage: occasion.stage?.name)
      }
      let (call, goesOn) = try await self.call(hook, occasion, &verdict)
      calls.append(call)
      bench.say(.hookCalled(call), run, stage: occasion.stage?.name, attempt: occasion.stage?.attempt)
      if !goesOn { break }
    }
    return (verdict, calls)
  }

  private func hooks(at event: HookEvent) -> [Hook] {
    event.names.flatMap { name in
      let inDirectory = bench.programs.hooks(of: name).map { file in
        Hook(
          event: name, file: file, arguments: [file.path], timeout: bench.settings.hookTimeout,
          onError: event.standardOnError, isNamed: false, isPersistent: false)
      }
      let inPipeline = (pipeline.hooks[name] ?? []).map { hook in
        let file = bench.programs.resolve(hook.program.first ?? "", hashing: true)
        let arguments = hook.program.map { $0.replacing("${home}", with: bench.home) }
        return Hook(
          event: name, file: file, arguments: arguments, timeout: hook.timeout,
          onError: hook.onError ?? event.standardOnError, isNamed: true,
          isPersistent: hook.persistent ?? false)
      }
      return inDirectory + inPipeline
    }
  }

  private func call(
    _ hook: Hook, _ occasion: Occasion, _ verdict: inout HookVerdict
  ) async throws -> (HookCall, goesOn: Bool) {
    let begun = bench.now()
    let lines = LineCollector(mask: mask) { [bench, run] line in
      bench.say(
        .outputLine(line, hook: hook.file.shown), run, stage: occasion.stage?.name,
        attempt: occasion.stage?.attempt)
    }
    Failpoint.hookAsked.pass()
    let request = try request(hook, occasion, verdict, begun: begun, lines: lines)
    var result = try await bench.work(
      request, of: run, stage: occasion.stage?.name, by: hook.isPersistent ? worker(for: request) : nil)
    Failpoint.hookAnswered.pass()
    try Task.checkCancellation()
    result.reply = mask.masked(result.reply)
    let (reply, failure) = read(result, timeout: hook.timeout, lastLine: lines.lastLine)
    var goesOn = true
    if let reply {
      for warning in reply.warnings {
        bench.say(.hookWarned(program: hook.file.shown, warning: warning), run, stage: occasion.stage?.name)
      }
      goesOn = verdict.take(reply, from: hook.file.shown)
    } else if let failure, hook.onError == .fail {
      verdict.decision = .fail(reason: "hook `\(hook.file.shown)` failed: \(failure)")
      goesOn = false
    }
    let call = HookCall(
      run: run.id, stage: occasion.stage?.name, attempt: occasion.stage?.attempt, event: hook.event,
      program: hook.file.shown, sha256: hook.file.sha256, at: begun, usage: result.usage,
      termination: result.termination, timedOut: result.ending == .timeout,
      decision: reply?.decision ?? .error, reason: (reply?.reason ?? failure).map(mask.masked),
      stderrTail: mask.masked(lines.tail))
    return (call, goesOn)
  }

  private func worker(for request: ProgramRequest) -> WorkerProgram? {
    bench.worker(
      for: request, rules: WorkerRules(), files: [], names: bench.settings.environment + pipeline.environment)
  }

  private func read(
    _ result: ProgramResult, timeout: Duration, lastLine: String?
  ) -> (HookReply?, failure: String?) {
    if let failure = HookVerdict.failure(of: result, timeout: timeout, lastLine: lastLine) {
      return (nil, failure)
    }
    do {
      let reply = try HookVerdict.reply(of: result, lastLine: lastLine)
      if let failure = reply.failure { return (nil, failure) }
      return (reply, nil)
    } catch {
      return (nil, "bad reply: \(error)")
    }
  }

  private func request(
    _ hook: Hook, _ occasion: Occasion, _ verdict: HookVerdict, begun: Date, lines: LineCollector
  ) throws -> ProgramRequest {
    var stage = occasion.stage
    stage?.params = verdict.params.object ?? [:]
    if let level = verdict.granularity?.level { stage?.granularity = level }
    let envelope = Envelope(
      event: hook.event, run: Envelope.RunPart(run), drop: run.drop.map(Envelope.DropPart.init), stage: stage,
      inputs: occasion.inputs, context: verdict.context, out: occasion.out, home: bench.home,
      deadline: Timestamp.text(begun + hook.timeout / .seconds(1)), outcome: occasion.outcome,
      outputs: occasion.outputs, metrics: occasion.metrics)
    let environment = ProgramEnvironment.make(
      ProgramEnvironment.Moment(
        run: run, stage: stage?.name, event: hook.event, attempt: stage?.attempt,
        granularity: stage?.granularity, sample: stage?.sample, seed: bench.settings.seed, out: occasion.out),
      names: bench.settings.environment + pipeline.environment, agent: bench.environment, home: bench.home)
    return ProgramRequest(
      executable: hook.file.path, arguments: hook.arguments, environment: environment,
      directory: occasion.out, input: try envelope.line(), timeout: hook.timeout, grace: bench.settings.grace,
      cancellation: occasion.cancellation, onLogLine: { lines.take($0) })
  }
}

extension Envelope.RunPart {
  init(_ run: Run) {
    self.init(id: run.id, number: run.number, pipeline: run.pipeline, version: run.version ?? "")
  }
}
