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
    /// What `on-verdict` is about.
    var verdict: JSON?
    var cancellation: Cancellation?
  }

  struct Hook {
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

  /// - Parameter found: the hooks of this moment, where they were looked up before.
  func call(_ occasion: Occasion, found: [Hook]? = nil) async throws -> (verdict: HookVerdict, calls: [HookCall]) {
    var verdict = HookVerdict(params: .object(occasion.stage?.params ?? [:]), context: occasion.context)
    var calls: [HookCall] = []
    for hook in found ?? hooks(at: occasion.event) {
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
      let (call, goesOn) = try await self.call(hook, occasion, &verdict, isFirst: calls.isEmpty)
      calls.append(call)
      bench.say(.hookCalled(call), run, stage: occasion.stage?.name, attempt: occasion.stage?.attempt)
      if !goesOn { break }
    }
    return (verdict, calls)
  }

  private func call(
    _ hook: Hook, _ occasion: Occasion, _ verdict: inout HookVerdict, isFirst: Bool
  ) async throws -> (HookCall, goesOn: Bool) {
    let begun = bench.now()
    let lines = LineCollector(mask: mask) { [bench, run] line in
      bench.say(
        .outputLine(line, hook: hook.file.shown), run, stage: occasion.stage?.name,
        attempt: occasion.stage?.attempt)
    }
    Failpoint.hookAsked.pass()
    let request = try request(hook, occasion, verdict, begun: begun, lines: lines)
    if isFirst {
      // for `hooks test EVENT --run RUN`
      let input = request.input
      bench.later { [bench, mask, run] in bench.spool.noteRequest(mask.masked(input), of: run.id) }
    }
    let entry = HooksAtWork.Entry(
      run: run.id, stage: occasion.stage?.name, event: hook.event, program: hook.file.shown, since: begun,
      timeout: hook.timeout)
    var result = try await bench.hooksAtWork.with(entry) {
      try await bench.work(
        request, of: run, stage: occasion.stage?.name, by: hook.isPersistent ? worker(for: request) : nil
      ) { [verdict] in try self.request(hook, occasion, verdict, begun: bench.now(), lines: lines) }
    }
    lines.finish()
    Failpoint.hookAnswered.pass()
    try Task.checkCancellation()
    result.reply = mask.masked(result.reply)
    let (reply, failure) = read(result, of: hook, occasion, lastLine: lines.lastLine)
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
      stderrTail: mask.masked(lines.tail), annotations: reply?.annotations ?? [:],
      warnings: reply?.warnings ?? [])
    return (call, goesOn)
  }

  private func worker(for request: ProgramRequest) -> WorkerProgram? {
    bench.worker(
      for: request, rules: WorkerRules(), files: [], names: bench.settings.environment + pipeline.environment)
  }

  private func read(
    _ result: ProgramResult, of hook: Hook, _ occasion: Occasion, lastLine: String?
  ) -> (HookReply?, failure: String?) {
    if let failure = HookVerdict.failure(of: result, timeout: hook.timeout, lastLine: lastLine) {
      return (nil, failure)
    }
    do {
      let reply = try HookVerdict.reply(of: result, lastLine: lastLine)
      if let failure = reply.failure { return (nil, failure) }
      return (reply, nil)
    } catch {
      let name = hook.event + (occasion.stage.map { ".\($0.attempt)" } ?? "")
      let kept = bench.spool.keepReply(result.reply, of: run.id, as: name)
      return (nil, "bad reply: \(error)" + (kept.map { "; it is kept as `\($0)`" } ?? ""))
    }
  }
}

extension Envelope.RunPart {
  init(_ run: Run) {
    self.init(id: run.id, number: run.number, pipeline: run.pipeline, version: run.version ?? "")
    slot = run.slot.map { Timestamp.text($0) }
  }
}
