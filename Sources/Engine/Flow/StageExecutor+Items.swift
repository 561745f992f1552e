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
    let command: Command
    switch self.command(of: stage, part, inputs, out: ItemProgram.out) {
    case .success(let found): command = found
    case .failure(let refusal): return .failure(refusal)
    }
    let envelope = Envelope(
      event: "stage", run: Envelope.RunPart(run), drop: run.told.map(Envelope.DropPart.init), stage: part,
      inputs: inputs, context: prepared.ended.context, home: bench.home)
    let isBatch = each.batch > 1
    let request = ProgramRequest(
      executable: command.executable, arguments: command.arguments,
      environment: environment(of: stage, part, out: prepared.out), directory: prepared.out,
      timeout: stage.timeout, grace: bench.settings.grace, limits: stage.limits)
    var staying = request
    staying.arguments = command.arguments.map { $0.replacing(ItemProgram.out, with: prepared.out) }
    return .success(
      ItemProgram(
        bench: bench, run: run, stage: stage, attempt: part.attempt, mask: mask, isBatch: isBatch, gate: gate,
        request: request, envelope: try ItemEnvelope(envelope, isBatch: isBatch),
        worker: worker(of: stage, for: staying)))
  }
}
