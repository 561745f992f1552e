import Core
import Foundation

extension StageExecutor {
  /// `nil` where the stage is a process of its own each time.
  func worker(of stage: Stage, for request: ProgramRequest) -> WorkerProgram? {
    guard let manifest = pipeline.manifest(of: stage), manifest.persistent else { return nil }
    return bench.worker(
      for: request, rules: manifest.worker ?? WorkerRules(), files: manifest.filePaths,
      names: bench.settings.environment + pipeline.environment)
  }

  /// What is executed for a stage.
  struct Command {
    /// Absolute.
    var executable: String
    var arguments: [String]
  }

  /// Finds the program of a stage and fills its arguments in; refused where it may not run.
  func command(
    of stage: Stage, _ part: Envelope.StagePart, _ inputs: [Envelope.FilePart], out: String
  ) -> Result<Command, HostError> {
    let arguments: [String]
    do {
      arguments = try ArgumentTemplate.expand(
        argv: stage.program, input: inputs.first?.path, home: bench.home, out: out, params: part.params)
    } catch {
      return .failure(HostError("cannot fill in `\(Display.escaped(error.element))`: \(error.reason)"))
    }
    let file = bench.programs.resolve(arguments.first ?? "", hashing: false)
    if let refusal = file.refusal {
      return .failure(HostError("cannot run `\(Display.escaped(file.shown))`: \(refusal)"))
    }
    if let warning = file.warning {
      bench.say(.hookWarned(program: file.shown, warning: warning), run, stage: stage.name)
    }
    return .success(Command(executable: file.path, arguments: arguments))
  }

  /// Whether the program of a stage is still one that may run.
  func mayRun(_ stage: Stage, _ part: Envelope.StagePart, _ inputs: [Envelope.FilePart], out: String) -> Bool {
    let name = try? ArgumentTemplate.expand(
      argv: Array(stage.program.prefix(1)), input: inputs.first?.path, home: bench.home, out: out, params: part.params)
    return name?.first.map { bench.programs.resolve($0, hashing: false).refusal == nil } ?? false
  }

  func environment(of stage: Stage, _ part: Envelope.StagePart, out: String) -> [String: String] {
    ProgramEnvironment.make(
      ProgramEnvironment.Moment(
        run: run, stage: stage.name, event: "stage", attempt: part.attempt, granularity: part.granularity,
        sample: part.sample, seed: part.seed, out: out),
      names: bench.settings.environment + pipeline.environment, agent: bench.environment, home: bench.home)
  }

  /// What its program is started with.
  func request(
    _ stage: Stage, _ part: Envelope.StagePart, _ inputs: [Envelope.FilePart], out: String, checkpoint: String?,
    context: JSON, lines: LineCollector
  ) throws -> Result<ProgramRequest, HostError> {
    let command: Command
    switch self.command(of: stage, part, inputs, out: out) {
    case .success(let found): command = found
    case .failure(let refusal): return .failure(refusal)
    }
    let envelope = Envelope(
      event: "stage", run: Envelope.RunPart(run), drop: run.told.map(Envelope.DropPart.init), stage: part,
      inputs: inputs, context: context, out: out, home: bench.home, checkpoint: checkpoint,
      deadline: stage.timeout.map { Timestamp.text(bench.now() + $0 / .seconds(1)) })
    var request = ProgramRequest(
      executable: command.executable, arguments: command.arguments,
      environment: environment(of: stage, part, out: out), directory: out,
      input: try envelope.line(), timeout: stage.timeout, grace: bench.settings.grace,
      exitRecord: bench.spool.exitRecordPath(run.id, stage: stage.name, n: part.attempt),
      limits: stage.limits, cancellation: cancellation, onLogLine: { lines.take($0) })
    if stage.name != pipeline.stages.last?.name {
      request.underWay = { [bench] in bench.spool.foresee(1) }
    }
    return .success(request)
  }

  /// What its program writes to stderr, for the log.
  func lines(of part: Envelope.StagePart) -> LineCollector {
    LineCollector(mask: mask) { [bench, run] line in
      bench.say(.outputLine(line, hook: nil), run, stage: part.name, attempt: part.attempt)
    }
  }
}
