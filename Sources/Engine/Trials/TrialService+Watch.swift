import Core
import Foundation
import Store
import Trials

/// Looks after what trials put in force: it is taken back as soon as it is shown to cost too much.
extension TrialService {
  /// One look at the arm in force; what it costs is counted as of a trial of its own.
  func watch(_ version: PipelineVersion, until: Date?) async throws {
    let name = version.pipeline.name
    guard var seen = try await PolicyWatch(of: name, bench.store.reader) else { return }
    // a changed pipeline takes the policy back at its next run
    let changes = seen.policy.basis.changes(to: bench.definitions.basis(of: version.pipeline))
    if !changes.isEmpty { return }
    if seen.wants(at: bench.now(), blocks: 0) != nil {
      try await look(&seen, version, until: until)
    }
    if case .demote(let reason) = seen.watch.call { try await demote(seen, because: reason) }
  }

  private func look(_ seen: inout PolicyWatch, _ version: PipelineVersion, until: Date?) async throws {
    let setup = TrialSetup(bench: bench, version: version)
    let basis = try await setup.basis()
    var trial = try await setup.trial(.watch, basis)
    let levels = plan(of: seen, at: trial)
    trial.plan = try JSON(encoding: levels)
    trial.data.digests = try TrialCopies(bench: bench, trial: trial).digests()
    trial = try await bench.store.open(trial)
    let work = try self.work(on: trial, basis.pipeline, levels)
    let budget = trial.rules.budget / .seconds(1)
    var spent = 0.0
    var blocks = 0
    var cut = false
    while !cut, let unit = seen.wants(at: bench.now(), blocks: blocks) {
      guard spent < budget, let difference = try await pair(unit, work, until: until, &spent) else {
        cut = true
        continue
      }
      if case .block = unit { blocks += 1 }
      seen.record(unit, difference: difference.value, at: bench.now())
    }
    let words =
      switch seen.watch.call {
      case .calm: cut ? "the look was cut short" : "the arm in force is as good as it was"
      case .blocks(let left, let reason): "\(reason): \(left) more blocks are wanted"
      case .demote(let reason): reason
      }
    try await bench.store.put(
      TrialStanding(state: .kept, verdict: .null, reason: words), on: trial.number, at: bench.now())
    try? bench.spool.clearTrial(trial.id, inputs: true)
    bench.say(.trialEnded(trial, reason: words))
  }

  /// The control and the arm in force, on folds of their own.
  private func plan(of seen: PolicyWatch, at trial: Trial) -> RacePlan {
    var plan = seen.plan
    plan.arms = [plan.arms[0], Arm(plan.arms[0].levels.merging(seen.policy.levels) { $1 })]
    plan.seed = UInt64(Split.seed(plan.seed, Split.part(trial.id.text)))
    return plan
  }

  private struct Difference {
    /// `nil`: the arm broke.
    var value: Double?
  }

  /// - Parameter spent: CPU seconds, added to.
  /// - Returns: `nil` where the night is over, or the control itself broke.
  private func pair(
    _ unit: Trials.Unit, _ work: TrialWork, until: Date?, _ spent: inout Double
  ) async throws -> Difference? {
    var qualities: [Double?] = []
    var control: TrialWork.Control?
    for arm in 0...1 {
      var step = try await work.step(arm, unit, control, until: until)
      while step.stop == nil, step.record.state == .interrupted {
        spent += step.record.spent
        step = try await work.step(arm, unit, control, until: until)
      }
      spent += step.record.spent
      if step.stop != nil { return nil }
      try await work.end(step.record, nil)
      if arm == 0 {
        if step.record.metric == nil { return nil }
        control = TrialWork.Control(step.record)
      }
      qualities.append(step.said.quality)
    }
    guard let first = qualities[0] else { return nil }
    return Difference(value: qualities[1].map { $0 - first })
  }

  private func demote(_ seen: PolicyWatch, because reason: String) async throws {
    let step = try await bench.store.demote(
      seen.policy.pipeline, number: seen.policy.number, by: .trial(seen.trial.number), reason: reason, at: bench.now())
    guard let step else { return }
    bench.say(.policyDemoted(levels: Policy.text(step.levels), reason: reason))
    try await VerdictCaller(bench: bench, book: book, shutdown: shutdown).tell(of: step)
  }
}
