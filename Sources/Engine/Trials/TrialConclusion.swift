import Core
import Store
import Trials

/// What the end of a session does to its trial: it waits for the next one, or is recorded, put in force and told.
struct TrialConclusion: Sendable {
  let bench: Workbench
  let book: PipelineBook
  /// Ends hooks that are told of a verdict.
  let shutdown: Cancellation
  let trial: Trial
  let version: PipelineVersion
  let plan: RacePlan

  static let changed = "the stages it compares, or the rules it goes by, were changed"
  static let byPerson = "a person stopped it"

  /// - Parameter known: what the numbers say so far.
  func conclude(
    _ end: TrialWork.End, known: Verdict, _ allowed: TrialWork.Allowance
  ) async throws -> TrialService.Report {
    let words = TrialWords.text(known, plan: plan, rules: trial.rules)
    let budget = Quantity.text(.seconds(max(0, allowed.budget)))
    switch end {
    case .budget: return paused("the CPU time of \(budget) is used up", words)
    case .tooLittle(let next):
      let need = Quantity.text(.seconds(next))
      return paused("the CPU time of \(budget) does not do for the next evaluation, which takes about \(need)", words)
    case .night: return paused("the night is over", words)
    case .agent: return paused("the agent was stopped", words)
    case .changed: return try await stop(because: Self.changed)
    case .broken(let reason): return try await stop(because: reason)
    case .person: return try await stop(because: Self.byPerson)
    case .decided(let verdict): return try await decide(verdict)
    }
  }

  private func paused(_ why: String, _ words: String) -> TrialService.Report {
    let reason = "\(why); \(words)"
    bench.say(.trialPaused(trial, reason: reason))
    return TrialService.Report(trial: trial, isPaused: true, reason: reason)
  }

  private func decide(_ verdict: Verdict) async throws -> TrialService.Report {
    var reason = TrialWords.text(verdict, plan: plan, rules: trial.rules)
    let encoded = try JSON(encoding: verdict)
    guard case .promote(let shown) = verdict else {
      return try await close(TrialStanding(state: .kept, verdict: encoded, reason: reason))
    }
    let arm = plan.arms[shown.arm]
    let basis = bench.definitions.basis(of: version.pipeline)
    // taken before it is compared: an edit in between is found by the next run
    guard book.version(of: trial.pipeline) == version,
      TrialSetup(bench: bench, version: version).current(trial) != nil
    else { return try await stop(because: Self.changed) }
    if !isPolicy(arm) {
      reason += "; its parameters are for you to write into the pipeline"
      return try await close(TrialStanding(state: .promoted, verdict: encoded, reason: reason))
    }
    let policy = try await bench.store.promote(
      trial.pipeline, arm.levels, trial: trial.number, basis: basis, reason: reason,
      ending: TrialStanding(state: .promoted, verdict: encoded, reason: reason), at: bench.now())
    try? bench.spool.clearTrial(trial.id, inputs: true)
    guard let policy else { return ended(.stopped, Self.byPerson) }
    bench.say(.trialEnded(trial, reason: reason))
    try await VerdictCaller(bench: bench, book: book, shutdown: shutdown).tell(of: policy)
    return ended(.promoted, reason)
  }

  /// `false` for an arm given by hand with parameters of its own, which no policy can put in force.
  private func isPolicy(_ arm: Arm) -> Bool {
    trial.rules.arms?.first { $0.name == arm.variant }?.params.isEmpty ?? true
  }

  /// Ends the trial without a verdict.
  @discardableResult
  func stop(because reason: String) async throws -> TrialService.Report {
    try await close(TrialStanding(state: .stopped, verdict: trial.verdict ?? .null, reason: reason))
  }

  /// Records how the trial ended, unless a person has ended it meanwhile.
  private func close(_ standing: TrialStanding) async throws -> TrialService.Report {
    let isFirst = try await bench.store.put(standing, on: trial.number, at: bench.now())
    try? bench.spool.clearTrial(trial.id, inputs: true)
    guard isFirst else { return ended(.stopped, Self.byPerson) }
    bench.say(.trialEnded(trial, reason: standing.reason))
    return ended(standing.state, standing.reason)
  }

  private func ended(_ state: Trial.State, _ reason: String) -> TrialService.Report {
    var ended = trial
    ended.state = state
    return TrialService.Report(trial: ended, isPaused: false, reason: reason)
  }
}
