import Core
import Foundation
import Store
import Trials

/// One trial, from where it stands to the end of its night.
extension TrialService {
  func work(
    _ version: PipelineVersion, _ origin: Trial.Origin, _ allowed: TrialWork.Allowance
  ) async throws -> Report {
    let (trial, pipeline) = try await opened(TrialSetup(bench: bench, version: version), origin)
    return try await working(on: trial) {
      let plan = try trial.plan.decoded(as: RacePlan.self)
      let work = try self.work(on: trial, pipeline, plan)
      var race = Race(plan, recorded: try await bench.store.reader.observations(of: trial.number, scores: true))
      bench.say(.trialBegan(trial, arms: plan.arms.count))
      let end = try await work.work(&race, allowed)
      try? bench.spool.clearTrial(trial.id, inputs: false)
      return try await conclusion(of: trial, version, plan).conclude(end, known: race.verdict, allowed)
    }
  }

  /// What evaluates the arms of a trial.
  func work(on trial: Trial, _ pipeline: Pipeline, _ plan: RacePlan) throws -> TrialWork {
    let mask = bench.mask(for: pipeline)
    let executor = ArmExecutor(
      bench: bench.masking(mask), trial: trial, pipeline: pipeline,
      stages: try TrialSetup.stages(for: trial.stage, of: pipeline),
      inputs: try TrialCopies(bench: bench, trial: trial).inputs(), mask: mask)
    return TrialWork(
      bench: executor.bench, trial: trial, executor: executor, courtesy: courtesy, plan: plan,
      isCurrent: { [bench, book] in
        book.version(of: trial.pipeline).flatMap { TrialSetup(bench: bench, version: $0).current(trial) } != nil
      },
      isHalted: { self.isHalted(trial) })
  }

  /// The open trial where it is still about the same stages, else a new one.
  private func opened(_ setup: TrialSetup, _ origin: Trial.Origin) async throws -> (Trial, Pipeline) {
    if let open = try await bench.store.reader.openTrial(of: setup.version.pipeline.name) {
      let pipeline = setup.current(open)
      if let pipeline, (try? TrialCopies(bench: bench, trial: open).inputs()) != nil { return (open, pipeline) }
      try await conclusion(of: open, setup.version, try open.plan.decoded(as: RacePlan.self)).stop(
        because: pipeline == nil ? TrialConclusion.changed : "its copy of the data is not what it was")
    }
    let basis = try await setup.basis()
    var trial = try await setup.trial(origin, basis)
    trial.data.digests = try TrialCopies(bench: bench, trial: trial).digests()
    return (try await bench.store.open(trial), basis.pipeline)
  }

  private func conclusion(of trial: Trial, _ version: PipelineVersion, _ plan: RacePlan) -> TrialConclusion {
    TrialConclusion(bench: bench, book: book, shutdown: shutdown, trial: trial, version: version, plan: plan)
  }
}
