import Core
import Foundation

/// The program of a stage, handed over while its before-hooks are asked: it begins at once where they change nothing.
///
/// So what it takes to prepare a program costs no time between a hook and a program (the same is done beside a commit).
struct HeldProgram: Sendable {
  /// The hooks want it otherwise, or not at all.
  struct Unwanted: Error {}

  let outline: StageExecutor.Outline
  let lines: LineCollector
  let made: Date
  let permit = Permit()

  /// Whether it is what the hooks left of it.
  func isWanted(by prepared: StageExecutor.Prepared, at now: Date) -> Bool {
    // what hooks do for long may be for the program
    (0..<Workbench.freshness).contains(now.timeIntervalSince(made)) && prepared.ended.attempt.contextPatches.isEmpty
      && prepared.part.granularity == outline.part.granularity && prepared.part.sample == outline.part.sample
      && prepared.part.params == outline.part.params
  }

  /// Lets it begin, or never; the first answer stands.
  func answer(isWanted: Bool) {
    if isWanted { Failpoint.programAsked.pass() }
    permit.settle(isWanted ? .success(()) : .failure(Unwanted()))
  }
}

extension StageExecutor {
  /// - Returns: `nil` where no hook comes first, and where more than the hooks is asked before a program.
  func heldProgram(of stage: Stage, _ outline: Outline, in session: RunSession) -> HeldProgram? {
    // an outcome may be there already, or a checkpoint; a worker has no process to be prepared
    guard !outline.before.isEmpty, !stage.pure, outline.part.attempt == 1, outline.part.granularity != .off,
      !session.taken.contains(stage.name), pipeline.manifest(of: stage)?.persistent != true
    else { return nil }
    return HeldProgram(outline: outline, lines: lines(of: outline.part), made: bench.now())
  }

  /// Hands it over and waits for its end; `nil` where it cannot be run as it is.
  func result(of held: HeldProgram?, _ stage: Stage) async throws -> ProgramResult? {
    guard let held else { return nil }
    // until then the commit and the first hook have the processors
    try await bench.recording?.given()
    let outline = held.outline
    let made = try request(
      stage, outline.part, outline.inputs, out: outline.out, checkpoint: nil, context: outline.context,
      lines: held.lines)
    guard case .success(var request) = made else { return nil }
    request.permit = held.permit
    return try await bench.work(request, of: run, stage: stage.name)
  }
}
