import Core
import Foundation
import Store
import Trials

/// What a trial of a pipeline is about, found out before its first evaluation.
struct TrialSetup: Sendable {
  let bench: Workbench
  let version: PipelineVersion

  typealias Refusal = TrialService.Refusal

  /// Runs that are to profit from a verdict: an arm that would not pay for its blocks by then is not tried further.
  private static let runsAhead = 5000.0

  private var pipeline: Pipeline { version.pipeline }

  /// What one is judged on: the data and, by it, the pipeline as it would run.
  struct Basis: Sendable {
    var pipeline: Pipeline
    var data: TrialData
  }

  /// The data sources, or the latest done drop of the pipeline.
  func basis() async throws -> Basis {
    if !pipeline.sources.isEmpty {
      let resolved = try self.resolved([:])
      let paths = resolved.sources.map { $0.path.hasPrefix("/") ? $0.path : bench.home + "/" + $0.path }
      let name = FileName(paths[0].split(separator: "/").last.map(String.init) ?? "input")
      return try basis(resolved, Drop(name: name, bytes: bench.spool.bytes(at: paths[0]) ?? 0), paths)
    }
    let newest = try await bench.store.reader.latestDoneDrop(pipeline: pipeline.name).max { $0.number < $1.number }
    guard let run = newest, let drop = run.drop else {
      throw Refusal(
        description:
          "pipeline `\(pipeline.name)` has no data to try arms on: drop a file first, or give it `data.sources`")
    }
    let path = try bench.spool.path(ofDone: drop.name, of: run.id, for: run.id)
    return try basis(try resolved(drop.captures), drop, [path])
  }

  private func resolved(_ captures: [String: String]) throws -> Pipeline {
    do { return try pipeline.resolved(captures: captures) } catch { throw Refusal(description: error.words) }
  }

  private func basis(_ pipeline: Pipeline, _ drop: Drop, _ paths: [String]) throws -> Basis {
    let digests = try paths.map { path in
      guard let digest = try bench.spool.digests.digest(ofFile: path) else {
        throw Refusal(description: "the data `\(Display.escaped(path))` is not there any more: drop a file again")
      }
      return digest
    }
    return Basis(pipeline: pipeline, data: TrialData(drop: drop, paths: paths, digests: digests))
  }

  /// The stage that gives the metric and those it builds on, in order.
  static func stages(for stage: String, of pipeline: Pipeline) throws -> [Stage] {
    let reached = pipeline.stages.closure(of: [stage])
    let stages = pipeline.stages.filter { reached.contains($0.name) }
    for stage in stages where stage.each != nil || stage.when != nil {
      let what = stage.each != nil ? "`each`" : "`when`"
      throw Refusal(
        description:
          "stage `\(stage.name)` has \(what), and a trial cannot try pipelines whose metric builds on such a stage yet")
    }
    return stages
  }

  /// A trial that may begin.
  /// - Throws: `Refusal`.
  func trial(_ origin: Trial.Origin, _ basis: Basis) async throws -> Trial {
    guard let rules = basis.pipeline.trials else {
      throw Refusal(
        description: "pipeline `\(pipeline.name)` has no `trials:`: say there what metric and what margin count")
    }
    let stage = try await metricStage(rules)
    let stages = try Self.stages(for: stage, of: basis.pipeline)
    let arms = try self.arms(rules, stages)
    let seed = Split.seed(
      UInt64(bitPattern: Int64(bench.settings.seed)), Split.part(pipeline.name),
      Split.part(basis.data.digests.joined(separator: ",")))
    // where no stage knows of folds a block is one pass
    let folds = stages.contains(where: basis.pipeline.splits) ? rules.folds : 1
    let plan = RacePlan(
      arms: arms, margin: rules.margin.value, confidence: rules.confidence, folds: folds, runsAhead: Self.runsAhead,
      guarding: rules.relaxed ? .relaxed : .required, seed: UInt64(seed))
    var chance = bench.random()
    return Trial(
      id: RunID(now: bench.now(), using: &chance), pipeline: pipeline.name, version: version.digest, origin: origin,
      data: basis.data, definition: try definition(of: stages, basis.pipeline), stage: stage, rules: rules,
      plan: try JSON(encoding: plan), created: bench.now())
  }

  private func metricStage(_ rules: TrialRules) async throws -> String {
    if let stage = rules.stage { return stage }
    let names = pipeline.stages.map(\.name)
    if let found = try await bench.store.reader.stageGiving(rules.metric, of: pipeline.name, among: names) {
      return found
    }
    throw Refusal(
      description:
        "no stage of the latest done run of `\(pipeline.name)` gave a metric `\(rules.metric)`: run it once, or name one that "
        + "its stages give with `trials: { metric: … }` (`penstock show` lists them)")
  }

  private func arms(_ rules: TrialRules, _ stages: [Stage]) throws -> [Arm] {
    let open = stages.filter { $0.granularity == .auto }
    if let given = rules.arms {
      let control = Arm.control(of: open.map(\.name))
      return [control] + given.map { Arm(control.levels.merging($0.levels) { $1 }, variant: $0.name) }
    }
    if open.isEmpty {
      throw Refusal(
        description:
          "no stage before the metric is `auto`: there is nothing to compare in pipeline `\(pipeline.name)`")
    }
    let arms = Arm.all(
      of: open.map { stage in
        (name: stage.name, supported: Set(pipeline.manifest(of: stage)?.supported ?? Self.levels(of: stage)))
      })
    if arms.count < 2 {
      let names = open.map { "`\($0.name)`" }.joined(separator: ", ")
      throw Refusal(
        description:
          "\(names) of pipeline `\(pipeline.name)` can be compared at no level but `coarse`: a manifest says which levels a "
          + "stage has, and one without a manifest has those it gives `params` of their own (`fine: { params: { … } }`)"
      )
    }
    return arms
  }

  /// Of a stage without a manifest: those the pipeline gives parameters of their own, for it gets the level in words.
  private static func levels(of stage: Stage) -> [Granularity] {
    Granularity.allCases.filter { $0 == .coarse || stage.levelParams[$0] != nil }
  }

  /// The pipeline of a trial as it is now; `nil` where it is not any more what the trial is about.
  func current(_ trial: Trial) -> Pipeline? {
    guard let pipeline = try? pipeline.resolved(captures: trial.data.drop.captures),
      pipeline.trials?.asksTheSame(as: trial.rules) ?? false,
      pipeline.stages.contains(where: { $0.name == trial.stage }),
      let stages = try? Self.stages(for: trial.stage, of: pipeline),
      (try? definition(of: stages, pipeline)) == trial.definition
    else { return nil }
    return pipeline
  }

  /// Stands for what the stages do: where it differs, what was learned of them is void.
  private func definition(of stages: [Stage], _ pipeline: Pipeline) throws -> String {
    let basis = try JSON(encoding: bench.definitions.basis(of: stages, in: pipeline)).line()
    return bench.spool.digests.digest(of: Array(basis.utf8))
  }
}
