package import Core
import Foundation
import Store
package import Trials

/// Works one trial: asks the race what comes next, evaluates it, and records it, until something says stop.
struct TrialWork: Sendable {
  let bench: Workbench
  let trial: Trial
  let executor: ArmExecutor
  let courtesy: Courtesy
  let plan: RacePlan

  /// What there is to use up.
  struct Allowance: Sendable {
    /// CPU seconds.
    var budget: Double
    /// When the night is over; `nil` where it is no night.
    var until: Date?
  }

  enum End: Sendable, Equatable {
    case decided(Verdict)
    case budget
    case night
    case agent
    /// The control itself cannot be evaluated.
    case broken(String)
  }

  /// - Throws: what the store throws.
  func work(_ race: inout Race, _ allowance: Allowance) async throws -> End {
    var controls = try await self.controls()
    var spent = 0.0
    while true {
      let move = race.next()
      guard case .evaluate(let arm, let unit) = move else {
        if case .stop(let verdict) = move { return .decided(verdict) }
        continue
      }
      if spent >= allowance.budget { return .budget }
      await courtesy.wait(on: bench.clock)
      if courtesy.isStopping { return .agent }
      if let until = allowance.until, bench.now() >= until { return .night }
      var observation = try await bench.store.begin(
        TrialObservation(trial: trial.number, n: 0, arm: arm, unit: unit.text, began: bench.now()))
      let evaluation = try await evaluate(plan.arms[arm], unit, until: allowance.until)
      spent += evaluation.spent
      observation.spent = evaluation.spent
      observation.ended = bench.now()
      if evaluation.isInterrupted {
        observation.state = .interrupted
        observation.reason = courtesy.isStopping ? "the agent was stopped" : "it gave way"
        try await bench.store.end(observation, nil, at: bench.now())
        continue
      }
      if arm == 0 { controls[unit] = evaluation.metric }
      let said = evaluation.observation(arm: arm, unit: unit, rules: trial.rules, control: controls[unit])
      observation.state = evaluation.failure == nil ? .ok : .failed
      observation.quality = said.quality
      observation.metric = evaluation.metric
      observation.cost = said.cost
      observation.rows = said.rows
      observation.reason = evaluation.failure
      _ = race.record(said)
      if arm == 0, let failure = evaluation.failure {
        try await bench.store.end(observation, nil, at: bench.now())
        return .broken("the control, every stage at `coarse`, failed: \(failure)")
      }
      let verdict = race.verdict
      try await bench.store.end(
        observation,
        TrialStanding(
          state: TrialWords.state(of: race), verdict: try JSON(encoding: verdict),
          reason: TrialWords.text(verdict, plan: plan, rules: trial.rules)),
        at: bench.now())
      bench.say(
        .armEvaluated(
          trial: trial.number, arm: plan.arms[arm].key, unit: unit.text, quality: evaluation.metric,
          seconds: evaluation.spent, reason: evaluation.failure))
    }
  }

  private func controls() async throws -> [Trials.Unit: Double] {
    var controls: [Trials.Unit: Double] = [:]
    for one in try await bench.store.reader.observations(of: trial.number) where one.arm == 0 && one.state == .ok {
      if let unit = Trials.Unit(one.unit) { controls[unit] = one.metric }
    }
    return controls
  }

  private func evaluate(_ arm: Arm, _ unit: Trials.Unit, until: Date?) async throws -> Evaluation {
    let cancellation = Cancellation()
    return try await withThrowingTaskGroup(of: Evaluation?.self) { group in
      group.addTask {
        try await courtesy.give(cancellation) {
          var evaluation = Evaluation()
          for split in unit.splits(folds: plan.folds, seed: plan.seed) {
            if cancellation.cause != nil {
              evaluation.isInterrupted = true
              break
            }
            evaluation.add(try await executor.pass(arm, split, cancellation: cancellation))
            if evaluation.isInterrupted || evaluation.failure != nil { break }
          }
          return evaluation
        }
      }
      if let until {
        let left = Duration.seconds(max(0, until.timeIntervalSince(bench.now())))
        group.addTask {
          do { try await bench.clock.sleep(for: left) } catch { return nil }
          cancellation.cancel(.shutdown)
          return nil
        }
      }
      while let found = try await group.next() {
        guard let evaluation = found else { continue }
        group.cancelAll()
        return evaluation
      }
      return Evaluation()
    }
  }
}

extension Race {
  /// Takes up what was recorded, in its order: the same observations always give the same verdict.
  package init(_ plan: RacePlan, recorded: [TrialObservation]) {
    self.init(plan)
    for one in recorded where one.state == .ok || one.state == .failed {
      guard let unit = Trials.Unit(one.unit) else { continue }
      _ = record(Observation(arm: one.arm, unit: unit, quality: one.quality, cost: one.cost, rows: one.rows))
    }
  }
}
