import Core
import Foundation
import Store

/// What a night does for one pipeline: it looks at the arm in force, then goes on with the trial or begins one.
extension TrialService {
  /// Seconds after which a night that had too little budget is asked again.
  private static let again: TimeInterval = 3600

  func serve(_ night: TrialNight) async throws {
    let name = night.pipeline
    do {
      let version = try self.version(of: name)
      guard let rules = version.pipeline.trials else { return }
      try await watch(version, until: night.end)
      let open = try await bench.store.reader.openTrial(of: name)
      if open == nil,
        let last = try await bench.store.reader.trials(pipeline: name).first(where: { $0.origin != .watch }),
        try await isAnswered(last, version)
      {
        return
      }
      let ledger = NightLedger(reader: bench.store.reader, now: bench.now())
      let budget = try await ledger.budget(of: name, rules, since: night.begin)
      let fold = try await ledger.fold(of: name, stages: version.pipeline.basisStages.map(\.name))
      if let shortage = budget.shortage(fold: fold, of: name) {
        // runs may earn it before the window closes
        isServed(night, until: bench.now() + Self.again)
        throw Refusal(description: shortage)
      }
      _ = try await work(
        version, .window, TrialWork.Allowance(budget: budget.allowed, until: night.end, fold: fold))
    } catch let trouble where !Self.isOfAll(trouble) {
      bench.say(.trialRefused(pipeline: name, reason: "\(trouble)"))
    }
  }

  /// Whether the last trial was about the same stages on the same data: asking again would give the same answer.
  private func isAnswered(_ last: Trial, _ version: PipelineVersion) async throws -> Bool {
    guard last.state != .stopped else { return false }
    // what was taken back may be found again, or something else
    if let step = try await bench.store.reader.policy(of: last.pipeline).verdict, step.state == .demoted,
      step.since > last.ended ?? last.created
    {
      return false
    }
    let setup = TrialSetup(bench: bench, version: version)
    let data = try await setup.basis().data
    let isSame = data.digests == last.data.digests && data.drop.captures == last.data.drop.captures
    return isSame && setup.current(last) != nil
  }
}
