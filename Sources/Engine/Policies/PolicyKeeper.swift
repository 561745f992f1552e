import Core
import Store

/// Finds what is in force for a run, and takes it back where the stages are not what it was learned on.
struct PolicyKeeper: Sendable {
  let bench: Workbench
  let book: PipelineBook

  /// What was found, and the step that took a policy back just now.
  struct Finding: Sendable {
    var standing: PolicyStanding
    var demoted: Policy?
  }

  /// - Parameter pipeline: the version of the run, with nothing filled in.
  func find(for run: Run, _ pipeline: Pipeline) async throws -> Finding? {
    if pipeline.automatic.isEmpty { return nil }
    var finding = Finding(standing: try await bench.store.reader.policy(of: pipeline.name))
    // a pin outlives what the stages were: a level that is gone counts for nothing
    if let pinned = finding.standing.pin?.levels {
      finding.standing.pin?.levels = pinned.filter { name, level in
        pipeline.automatic.contains { $0.name == name && pipeline.supports(level, $0) }
      }
    }
    guard let policy = finding.standing.verdict, policy.state == .inForce else { return finding }
    let changes = policy.basis.changes(to: bench.definitions.basis(of: pipeline))
    if changes.isEmpty { return finding }
    finding.standing.verdict = nil
    // a run on an older version says nothing of the one in force
    guard book.version(of: pipeline.name)?.digest == run.version else { return finding }
    let step = try await bench.store.demote(
      pipeline.name, number: policy.number, by: .change, reason: changes.joined(separator: "; "), at: bench.now())
    guard let step else { return try await find(for: run, pipeline) }
    bench.say(.policyDemoted(levels: Policy.text(step.levels), reason: step.reason), run)
    finding.standing.verdict = step
    finding.demoted = step
    return finding
  }
}
