import Core
import Engine
import Foundation

/// The envelope of a moment at which no hook was called, made of what is recorded of the run.
struct RebuiltEnvelope {
  var whole: WholeRun
  /// As it is in force now; `nil` where there is none any more.
  var pipeline: Pipeline?
  var event: String
  /// For `before-stage` and `after-stage`.
  var stage: String?
  var home: String
  /// As the hooks before the run made it.
  var base: JSON
  var deadline: String

  private var run: Run { whole.run }
  private var isAfter: Bool { event.hasPrefix("after-") || event == "on-quarantine" }
  private var runPath: String { home + "/var/runs/" + run.id.text }

  private var attempt: Attempt? {
    let name =
      ["before-stage", "after-stage"].contains(event)
      ? stage ?? whole.stageNames.first
      : whole.stageNames.first { event == "before-\($0)" || event == "after-\($0)" }
    return whole.attempts.filter { $0.stage == name }.max { $0.n < $1.n }
  }

  func line() throws -> [UInt8] {
    let isRun = ["on-arrival", "before-run", "after-run", "on-quarantine"].contains(event)
    let attempt = isRun ? nil : attempt
    guard isRun || attempt != nil else {
      throw CommandFailure("run \(run.number) has no attempt that `\(event)` could be about")
    }
    let left = attempt.map { attempt in whole.artifacts.filter { $0.stage == attempt.stage } } ?? whole.artifacts
    var part = Envelope.RunPart(
      id: run.id, number: run.number, pipeline: run.pipeline, version: run.version ?? "")
    part.slot = run.slot.map { Timestamp.text($0) }
    return try Envelope(
      event: event, run: part,
      drop: run.drop.map(Envelope.DropPart.init), stage: attempt.map(self.part),
      inputs: attempt.map(inputs) ?? origin, context: context(attempt), out: out(attempt, left), home: home,
      deadline: deadline, outcome: isAfter ? outcome(attempt) : nil,
      outputs: isAfter && event != "on-quarantine" ? left.map(file) : nil,
      metrics: isAfter ? attempt?.metrics : nil
    ).line()
  }

  private func part(_ attempt: Attempt) -> Envelope.StagePart {
    Envelope.StagePart(
      name: attempt.stage, attempt: attempt.n, granularity: attempt.granularity.level, sample: attempt.sample,
      seed: attempt.seed, params: params(attempt))
  }

  private func params(_ attempt: Attempt) -> [String: JSON] {
    let captures = run.drop?.captures ?? whole.repeats?.drop?.captures ?? [:]
    let resolved = try? pipeline?.resolved(captures: captures, set: run.options.set)
    guard let stage = resolved?.stages.first(where: { $0.name == attempt.stage }) else { return [:] }
    let extra = stage.levelParams[attempt.granularity.level] ?? [:]
    return JSON.object(stage.params).merging(.object(extra)).object ?? [:]
  }

  /// What the stages it builds on have put there, for an after-hook also what this one put there.
  private func context(_ attempt: Attempt?) -> JSON {
    var context = RunContext(base, stages: pipeline?.stages ?? [])
    for earlier in whole.attempts where isAfter || earlier.stage != attempt?.stage || earlier.n != attempt?.n {
      context.add(earlier.contextPatches, from: earlier.stage)
    }
    guard let attempt else { return isAfter ? context.whole : base }
    return pipeline?.stages.first { $0.name == attempt.stage }.map(context.seen) ?? context.whole
  }

  private func inputs(_ attempt: Attempt) -> [Envelope.FilePart] {
    let needs = pipeline?.stages.first { $0.name == attempt.stage }?.needs ?? []
    let files = needs.flatMap { name in whole.artifacts.filter { $0.stage == name }.map(file) }
    return files.isEmpty ? origin : files
  }

  /// The drop where it lies now.
  private var origin: [Envelope.FilePart] {
    guard let drop = run.drop else { return [] }
    let place =
      switch run.state {
      case .done: "done"
      case .failed, .cancelled: "failed"
      case .quarantined: "quarantine"
      case .queued, .running, .waiting: "work"
      }
    let path = "\(home)/var/\(run.filed || place == "work" ? place : "work")/\(run.id.text)/\(drop.name.displayed)"
    return [Envelope.FilePart(name: "input", path: path, stage: nil, sha256: drop.sha256, bytes: drop.bytes)]
  }

  private func file(_ artifact: Artifact) -> Envelope.FilePart {
    Envelope.FilePart(
      name: artifact.name, path: runPath + "/" + artifact.path, stage: artifact.stage, sha256: artifact.sha256,
      bytes: artifact.bytes)
  }

  private func out(_ attempt: Attempt?, _ left: [Artifact]) -> String {
    guard let attempt else { return runPath }
    if isAfter { return left.isEmpty ? runPath : runPath + "/" + attempt.stage }
    return runPath + "/\(attempt.stage).\(attempt.n)"
  }

  private func outcome(_ attempt: Attempt?) -> Envelope.OutcomePart {
    guard let attempt else {
      return Envelope.OutcomePart(state: run.state.rawValue, reason: run.reason, termination: nil, usage: nil)
    }
    return Envelope.OutcomePart(
      state: attempt.state.rawValue, reason: attempt.reason, termination: attempt.termination, usage: attempt.usage)
  }
}
