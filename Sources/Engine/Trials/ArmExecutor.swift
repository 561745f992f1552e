import Core
import Foundation
import Store
import Trials

/// Evaluates arms: the stages up to the one that gives the metric, in directories of their own, without hooks.
struct ArmExecutor: Sendable {
  let bench: Workbench
  let trial: Trial
  /// Filled in for the drop of the trial.
  let pipeline: Pipeline
  /// The stage that gives the metric and those it builds on, in order.
  let stages: [Stage]
  /// Copies of the drop or of the data sources.
  let inputs: [Envelope.FilePart]
  let memory = ArmMemory()
  let mask: SecretMask

  /// One pass through the stages.
  struct Pass: Sendable {
    var metric: Double?
    /// By row id.
    var scores: [String: Float]?
    /// With nothing computed before, seconds.
    var cost = 0.0
    /// CPU that was really used, seconds.
    var spent = 0.0
    /// Why the arm broke.
    var failure: String?
    /// Something more important came.
    var isInterrupted = false
  }

  func pass(_ arm: Arm, _ split: Split, cancellation: Cancellation) async throws -> Pass {
    var pass = Pass()
    var left: [String: [Envelope.FilePart]] = [:]
    var context = RunContext(.object([:]), stages: pipeline.stages)
    var keys: [String: String] = [:]
    let splits = stages.contains(where: pipeline.splits)
    for stage in stages {
      let level = level(of: stage, in: arm)
      let given = stage.needs.isEmpty ? inputs : stage.needs.flatMap { left[$0] ?? [] }
      if level == .off {
        let names = stage.passthrough
        left[stage.name] = given.filter { names?.contains($0.name) ?? true }
        keys[stage.name] = "\(stage.name)=off(" + stage.needs.compactMap { keys[$0] }.joined(separator: ",") + ")"
        continue
      }
      let own = pipeline.splits(stage) || !splits ? split : nil
      let key = self.key(of: stage, level, own, arm, needs: stage.needs.compactMap { keys[$0] })
      keys[stage.name] = key
      let result: ArmMemory.Result
      if let known = memory.result(key) {
        result = known
      } else {
        let (made, spent) = try await work(
          stage, level, own, arm, given, context: context.seen(by: stage), key: key, cancellation)
        pass.spent += spent
        guard let made else {
          pass.isInterrupted = true
          return pass
        }
        result = made
        for old in memory.put(made, key) { try? bench.spool.removeEvaluation(directory(of: old), of: trial.id) }
      }
      pass.cost += result.cost
      if let failure = result.failure {
        pass.failure = "stage `\(stage.name)` (\(level.rawValue)): \(failure)"
        return pass
      }
      left[stage.name] = result.files.isEmpty ? given : result.files
      context.add([result.contextPatch], from: stage.name)
      if stage.name == trial.stage { take(result, &pass) }
    }
    return pass
  }

  private func level(of stage: Stage, in arm: Arm) -> Granularity {
    if case .fixed(let level, _) = stage.granularity { return level }
    return arm.levels[stage.name] ?? .coarse
  }

  private func take(_ result: ArmMemory.Result, _ pass: inout Pass) {
    pass.metric = result.metrics[trial.rules.metric]?.double
    guard pass.metric?.isFinite ?? false else {
      pass.metric = nil
      pass.failure = "stage `\(trial.stage)` gave no metric `\(Display.escaped(trial.rules.metric))`"
      return
    }
    guard let file = result.files.first(where: { $0.name == RowScores.output }) else { return }
    do {
      let scores = try RowScores(parsing: bench.spool.contents(at: file.path, limit: RowScores.limit))
      // in another unit they say nothing of the margin
      pass.scores = scores.metric.map { $0 == trial.rules.metric } ?? true ? scores.byRow : nil
    } catch {
      pass.failure = "output `\(RowScores.output)`: \(error)"
    }
  }

  /// Everything its outcome depends on within one trial.
  private func key(of stage: Stage, _ level: Granularity, _ split: Split?, _ arm: Arm, needs: [String]) -> String {
    let own = split.map { "@\($0.block).\($0.fold).\($0.folds).\($0.seed)" } ?? ""
    let variant = changes(of: stage, in: arm).isEmpty ? "" : "+\(arm.variant ?? "")"
    return "\(stage.name)=\(level.rawValue)\(variant)\(own)(" + needs.joined(separator: ",") + ")"
  }

  /// What an arm given by hand changes of the parameters.
  private func changes(of stage: Stage, in arm: Arm) -> [String: JSON] {
    guard let name = arm.variant else { return [:] }
    return trial.rules.arms?.first { $0.name == name }?.params[stage.name] ?? [:]
  }

  private func directory(of key: String) -> String { String(Split.part(key), radix: 16) }

  /// - Returns: `nil` where it was interrupted, and the CPU seconds it used.
  private func work(
    _ stage: Stage, _ level: Granularity, _ split: Split?, _ arm: Arm, _ given: [Envelope.FilePart], context: JSON,
    key: String, _ cancellation: Cancellation
  ) async throws -> (ArmMemory.Result?, spent: Double) {
    var spent = 0.0
    var tries = 0
    while true {
      tries += 1
      let out = try bench.spool.openEvaluation(directory(of: key), of: trial.id)
      let (outcome, usage, files) = try await attempt(
        stage, level, split, arm, given, context: context, out: out, tries, cancellation)
      spent += usage?.cpu ?? 0
      if cancellation.cause != nil { return (nil, spent) }
      let cost = (trial.rules.cost == .cpu ? usage?.cpu : usage?.wall) ?? 0
      var result = ArmMemory.Result(
        files: files, contextPatch: outcome.reply.context, metrics: outcome.reply.metrics, cost: cost)
      if [.ok, .skipped].contains(outcome.state) { return (result, spent) }
      if outcome.retry != .never, tries < max(stage.retry.attempts, outcome.retry == .asked ? 3 : 1) { continue }
      result.failure = outcome.reason ?? outcome.state.rawValue
      return (result, spent)
    }
  }

  private func attempt(
    _ stage: Stage, _ level: Granularity, _ split: Split?, _ arm: Arm, _ given: [Envelope.FilePart], context: JSON,
    out: String, _ n: Int, _ cancellation: Cancellation
  ) async throws -> (StageOutcome, ResourceUsage?, [Envelope.FilePart]) {
    let choice = GranularityChoice(arm: level, of: stage)
    let part = Envelope.StagePart(
      name: stage.name, attempt: n, granularity: level, sample: choice.sample, seed: seed(of: stage, split),
      params: choice.params(of: stage, fallback: false).merging(changes(of: stage, in: arm)) { $1 })
    let executor = StageExecutor(
      bench: bench, run: run, pipeline: pipeline, mask: mask, cancellation: cancellation, shutdown: cancellation,
      counsel: Counsel())
    let command: StageExecutor.Command
    switch executor.command(of: stage, part, given, out: out) {
    case .success(let found): command = found
    case .failure(let refusal): return (.failure(.failed, refusal.description, retry: .never), nil, [])
    }
    var told = Envelope.RunPart(run)
    told.trial = split.map { Envelope.TrialPart(id: trial.id, arm: arm.key, split: $0) }
    let envelope = Envelope(
      event: "stage", run: told, drop: run.told.map(Envelope.DropPart.init), stage: part, inputs: given,
      context: context, out: out, home: bench.home,
      deadline: stage.timeout.map { Timestamp.text(bench.now() + $0 / .seconds(1)) })
    let lines = LineCollector(mask: mask) { _ in }
    var limits = stage.limits
    limits.idle = true
    let request = ProgramRequest(
      executable: command.executable, arguments: command.arguments,
      environment: executor.environment(of: stage, part, out: out), directory: out, input: try envelope.line(),
      timeout: stage.timeout, grace: bench.settings.grace, limits: limits, cancellation: cancellation,
      onLogLine: { lines.take($0) })
    var result = try await bench.work(
      request, of: run, stage: stage.name, by: executor.worker(of: stage, for: request))
    lines.finish()
    try Task.checkCancellation()
    result.reply = mask.masked(result.reply)
    var outcome = StageOutcome.of(result, timeout: stage.timeout, limits: limits, lastLine: lines.lastLine)
    var files: [Envelope.FilePart] = []
    if outcome.state == .ok {
      do {
        files = try bench.spool.evaluated(
          outcome.reply.outputs.map { $0.relative(to: out) }, by: stage.name, in: out)
      } catch let trouble as HostError { outcome = .failure(.failed, trouble.description, retry: .never) }
    }
    return (outcome, result.usage, files)
  }

  /// The same for every arm; where a stage does not see the split it is the same in every block.
  private func seed(of stage: Stage, _ split: Split?) -> Int {
    let standard = UInt64(bitPattern: Int64(bench.settings.seed))
    guard let split else { return Split.seed(standard, Split.part(stage.name)) }
    return Split.seed(standard, UInt64(split.seed), UInt64(split.fold), Split.part(stage.name))
  }

  /// What programs are told of: the trial stands for the run, of which there is none.
  private var run: Run {
    Run(
      id: trial.id, number: trial.number, pipeline: trial.pipeline, version: trial.version, state: .running,
      trigger: .manual, drop: pipeline.sources.isEmpty ? trial.data.drop : nil, created: trial.created)
  }
}
