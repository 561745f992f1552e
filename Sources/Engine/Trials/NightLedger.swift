package import Core
package import Foundation
package import Store
import Trials

/// Adds up what trials of a pipeline may use tonight, from what is recorded of its runs, verdicts and trials.
package struct NightLedger: Sendable {
  /// Steps of the policy that are looked at.
  private static let steps = 200

  private let reader: StateReader
  private let now: Date

  package init(reader: StateReader, now: Date) {
    self.reader = reader
    self.now = now
  }

  /// - Parameter begin: of the night; `nil` where it is not yet.
  package func budget(of pipeline: String, _ rules: TrialRules, since begin: Date? = nil) async throws -> NightBudget {
    let start = now - TimeInterval(NightBudget.days * 86400)
    var budget = NightBudget(
      configured: rules.budget / .seconds(1), share: rules.share,
      production: try await reader.cpuTime(of: pipeline, from: start, to: now),
      spent: try await reader.trialSpending(of: pipeline, since: start))
    if let begin { budget.tonight = try await reader.trialSpending(of: pipeline, since: begin) }
    let steps = try await reader.policySteps(of: pipeline, limit: Self.steps)
    for span in Self.spans(steps.reversed(), until: now) {
      guard let saving = try await saving(of: span.trial) else { continue }
      let used = try await reader.cpuTime(
        of: pipeline, from: max(span.from, start), to: span.to, stages: span.stages)
      budget.saved += used * saving / (1 - saving)
    }
    return budget
  }

  /// About what one fold of the control takes: the stages of the trial in the latest done run.
  func fold(of pipeline: String, stages: [String]) async throws -> Double? {
    try await reader.latestCPUTime(of: stages, of: pipeline).flatMap { $0 > 0 ? $0 : nil }
  }

  /// The share of the cost that the verdict measured; `nil` where it is not known any more.
  private func saving(of trial: Int) async throws -> Double? {
    guard let verdict = try await reader.trial(number: trial)?.verdict,
      case .promote(let shown)? = try? verdict.decoded(as: Verdict.self), (0..<1).contains(shown.saving)
    else { return nil }
    return shown.saving
  }

  /// A time in which runs went by the verdict of a trial.
  struct Span: Equatable {
    var trial: Int
    /// Those it was learned on.
    var stages: [String]
    var from: Date
    var to: Date
  }

  /// - Parameter steps: the oldest first; while something is pinned no verdict counts.
  static func spans(_ steps: some Sequence<Policy>, until now: Date) -> [Span] {
    var spans: [Span] = []
    var (verdict, isPinned): (Policy?, Bool) = (nil, false)
    var last = now
    func close(at end: Date) {
      guard let policy = verdict, !isPinned, case .trial(let trial) = policy.source, end > last else { return }
      spans.append(Span(trial: trial, stages: policy.basis.stages.keys.sorted(), from: last, to: end))
    }
    for step in steps {
      close(at: step.since)
      switch step.state {
      case .inForce: verdict = step
      case .demoted: verdict = nil
      case .pinned: isPinned = true
      case .unpinned: isPinned = false
      }
      last = step.since
    }
    close(at: now)
    return spans
  }
}
