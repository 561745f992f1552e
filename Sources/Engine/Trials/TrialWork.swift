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
  /// Whether the stages are still what the trial is about.
  let isCurrent: @Sendable () -> Bool
  /// Whether a person has stopped the trial.
  let isHalted: @Sendable () -> Bool

  /// What there is to use up.
  struct Allowance: Sendable {
    /// CPU seconds.
    var budget: Double
    /// When the night is over; `nil` where it is no night.
    var until: Date?
    /// About what one fold of the control takes, CPU seconds; `nil` where it is not asked before it is tried.
    var fold: Double?
  }

  enum End: Sendable, Equatable {
    case decided(Verdict)
    case budget
    /// It does not do for what comes first, CPU seconds.
    case tooLittle(Double)
    case night
    case agent
    /// The control itself cannot be evaluated.
    case broken(String)
    /// The stages were changed meanwhile: what was seen of the old ones says nothing of the new.
    case changed
    /// A person stopped it; mostly that is recorded already.
    case person
  }

  /// - Throws: what the store throws.
  func work(_ race: inout Race, _ allowance: Allowance) async throws -> End {
    var controls: [Trials.Unit: Control] = [:]
    var costs = EvaluationCosts(guess: allowance.fold)
    for one in try await bench.store.reader.observations(of: trial.number) where one.state == .ok {
      guard let unit = Trials.Unit(one.unit) else { continue }
      if one.arm == 0 { controls[unit] = Control(one) }
      costs.note(arm: one.arm, folds: unit.folds(of: plan), spent: one.spent)
    }
    var spent = 0.0
    while true {
      let move = race.next()
      guard case .evaluate(let arm, let unit) = move else {
        if case .stop(let verdict) = move { return .decided(verdict) }
        continue
      }
      if spent >= allowance.budget { return .budget }
      if let next = costs.forecast(arm: arm, folds: unit.folds(of: plan)), spent + next > allowance.budget {
        return spent > 0 ? .budget : .tooLittle(next)
      }
      let step = try await step(arm, unit, controls[unit], until: allowance.until)
      spent += step.record.spent
      switch step.stop {
      case .some(let end): return end
      case nil where step.record.state == .interrupted: continue
      case nil: break
      }
      if arm == 0 { controls[unit] = Control(step.record) }
      costs.note(arm: arm, folds: unit.folds(of: plan), spent: step.record.spent)
      _ = race.record(step.said)
      if arm == 0, step.record.state == .failed, let failure = step.record.reason {
        try await bench.store.end(step.record, nil, at: bench.now())
        return .broken("the control, every stage at `coarse`, failed: \(failure)")
      }
      let verdict = race.verdict
      try await end(
        step.record,
        TrialStanding(
          state: TrialWords.state(of: race), verdict: try JSON(encoding: verdict),
          reason: TrialWords.text(verdict, plan: plan, rules: trial.rules)))
    }
  }

  /// What the control came to on one unit.
  struct Control: Sendable {
    var metric: Double?
    var rowKey: String?

    init(_ record: TrialObservation) {
      metric = record.metric
      rowKey = record.rowKey
    }
  }

  /// One evaluation, begun on the record, and what it came to.
  struct Step: Sendable {
    /// Still to be recorded, unless it was interrupted.
    var record: TrialObservation
    var said: Observation
    /// Why nothing was evaluated.
    var stop: End?
  }

  /// Evaluates an arm once nothing more important is at hand.
  /// - Parameter control: the control on the same unit, where it is known.
  func step(_ arm: Int, _ unit: Trials.Unit, _ control: Control?, until: Date?) async throws -> Step {
    await courtesy.wait(on: bench.clock, unless: isHalted)
    let empty = TrialObservation(trial: trial.number, n: 0, arm: arm, unit: unit.text, began: bench.now())
    var step = Step(record: empty, said: Observation(arm: arm, unit: unit, quality: nil, cost: 0))
    if courtesy.isStopping { step.stop = .agent }
    if isHalted() { step.stop = .person }
    if let until, bench.now() >= until { step.stop = .night }
    if step.stop != nil { return step }
    step.record = try await bench.store.begin(empty)
    let evaluation: Evaluation
    do { evaluation = try await evaluate(plan.arms[arm], unit, until: until) } catch {
      // it is done again: one that stays open would stand in its own way
      (step.record.state, step.record.reason) = (.interrupted, "\(error)")
      try? await bench.store.end(step.record, nil, at: bench.now())
      throw error
    }
    step.record.spent = evaluation.spent
    step.record.ended = bench.now()
    if !isCurrent() { step.stop = .changed }
    if isHalted() { step.stop = .person }
    if evaluation.isInterrupted || step.stop != nil {
      step.record.state = .interrupted
      step.record.reason =
        switch step.stop {
        case .changed: "a stage was changed meanwhile"
        case .person: "a person stopped the trial"
        default: courtesy.isStopping ? "the agent was stopped" : "it gave way"
        }
      try await bench.store.end(step.record, nil, at: bench.now())
      return step
    }
    step.said = evaluation.observation(
      arm: arm, unit: unit, rules: trial.rules, control: arm == 0 ? evaluation.metric : control?.metric)
    step.record.rowKey = evaluation.rowKey
    if arm != 0, step.said.rows != nil, let control, control.rowKey != evaluation.rowKey {
      step.said.rows = nil
      step.record.reason = "it scored other rows than the control"
    }
    step.record.state = evaluation.failure == nil ? .ok : .failed
    step.record.quality = step.said.quality
    step.record.metric = evaluation.metric
    step.record.cost = step.said.cost
    step.record.rows = step.said.rows
    step.record.reason = evaluation.failure ?? step.record.reason
    return step
  }

  /// Records what an evaluation came to, and says so.
  func end(_ record: TrialObservation, _ standing: TrialStanding?) async throws {
    try await bench.store.end(record, standing, at: bench.now())
    bench.say(
      .armEvaluated(
        trial: trial.number, arm: plan.arms[record.arm].key, unit: record.unit, quality: record.metric,
        seconds: record.spent, reason: record.reason))
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
