import Core
import Foundation

extension StageExecutor {
  /// What calls the program of a stage for its items.
  func itemProgram(
    for stage: Stage, _ each: Each, _ prepared: Prepared, gate: FlowGate
  ) throws -> Result<any ItemCalling, HostError> {
    var part = prepared.part
    // the engine has taken the sample: a program that took one of one item would be left with nothing
    part.sample = nil
    let inputs = prepared.inputs
    let arguments: [String]
    do {
      arguments = try ArgumentTemplate.expand(
        argv: stage.program, input: inputs.first?.path, home: bench.home, out: ItemProgram.out, params: part.params)
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
    let environment = ProgramEnvironment.make(
      ProgramEnvironment.Moment(
        run: run, stage: stage.name, event: "stage", attempt: part.attempt, granularity: part.granularity,
        sample: part.sample, seed: part.seed, out: prepared.out),
      names: bench.settings.environment + pipeline.environment, agent: bench.environment, home: bench.home)
    let envelope = Envelope(
      event: "stage", run: Envelope.RunPart(run), drop: run.drop.map(Envelope.DropPart.init), stage: part,
      inputs: inputs, context: prepared.ended.context, home: bench.home)
    let isBatch = each.batch > 1
    let request = ProgramRequest(
      executable: file.path, arguments: arguments, environment: environment, directory: prepared.out,
      timeout: stage.timeout, grace: bench.settings.grace, limits: stage.limits)
    var staying = request
    staying.arguments = arguments.map { $0.replacing(ItemProgram.out, with: prepared.out) }
    return .success(
      ItemProgram(
        bench: bench, run: run, stage: stage, attempt: part.attempt, mask: mask, isBatch: isBatch, gate: gate,
        request: request, envelope: try ItemEnvelope(envelope, isBatch: isBatch),
        worker: worker(of: stage, for: staying)))
  }
}
