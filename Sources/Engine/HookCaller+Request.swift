import Core
import Foundation

/// Which hooks there are, and what each is told.
extension HookCaller {
  /// Whether any hook would run at this moment.
  func hasHooks(at event: HookEvent) -> Bool {
    event.names.contains { name in
      !bench.programs.hooks(of: name).isEmpty
        || (pipeline.hooks[name] ?? []).contains { $0.isCalled(for: event.stage) }
    }
  }

  func hooks(at event: HookEvent) -> [Hook] {
    event.names.flatMap { name in
      let inDirectory = bench.programs.hooks(of: name).map { file in
        Hook(
          event: name, file: file, arguments: [file.path], timeout: bench.settings.hookTimeout,
          onError: event.standardOnError, isNamed: false, isPersistent: false)
      }
      let inPipeline = (pipeline.hooks[name] ?? []).filter { $0.isCalled(for: event.stage) }.map { hook in
        let file = bench.programs.resolve(hook.program.first ?? "", hashing: true)
        let arguments = hook.program.map { $0.replacing("${home}", with: bench.home) }
        return Hook(
          event: name, file: file, arguments: arguments, timeout: hook.timeout,
          onError: hook.onError ?? event.standardOnError, isNamed: true, isPersistent: hook.persistent ?? false)
      }
      return inDirectory + inPipeline
    }
  }

  func envelope(of hook: Hook, _ occasion: Occasion, _ verdict: HookVerdict, begun: Date) -> Envelope {
    Envelope(
      event: hook.event, run: Envelope.RunPart(run), drop: run.told.map(Envelope.DropPart.init),
      stage: occasion.stage.map(verdict.patched), inputs: occasion.inputs, context: verdict.context,
      out: occasion.out, home: bench.home, deadline: Timestamp.text(begun + hook.timeout / .seconds(1)),
      outcome: occasion.outcome, outputs: occasion.outputs, metrics: occasion.metrics,
      verdict: occasion.verdict)
  }

  func request(
    _ hook: Hook, _ occasion: Occasion, _ verdict: HookVerdict, begun: Date, lines: LineCollector
  ) throws -> ProgramRequest {
    let envelope = envelope(of: hook, occasion, verdict, begun: begun)
    let stage = envelope.stage
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
