import Core
import Foundation
import Store

/// What is asked of a run before anything of it is run.
struct Admission: Sendable {
  let bench: Workbench
  let cancellation: Cancellation

  /// Between two looks at a run that may have made the drop.
  private static let look = Duration.milliseconds(50)
  /// How long a run waits whose drop cannot be reached.
  private static let pause: TimeInterval = 30

  /// Completes what is known of the drop, and decides whether the run may go on.
  /// - Returns: what was recorded of it where it may not; `nil` admits it.
  func check(_ run: inout Run, _ pipeline: Pipeline) async throws -> RunExecutor.Disposition? {
    guard let drop = run.drop, run.trigger == .drop else {
      try await complete(&run)
      return nil
    }
    do { _ = try bench.spool.sample(of: drop.name, of: run.id) } catch let trouble as HostError {
      return try await park(run, "its drop cannot be reached: \(trouble)")
    }
    if run.started == nil, let taint = bench.taint(of: run) { return try await end(&run, .quarantined, taint) }
    try await complete(&run)
    guard run.started == nil, run.rerunOf == nil else { return nil }
    try await awaitMaker(&run)
    if let loop = try await loop(run) { return try await end(&run, .quarantined, loop) }
    if bench.duplicates(in: pipeline) == .skip, let twin = try await bench.store.reader.twin(of: run) {
      // what came at once with it was not done yet when this one was recorded
      if run.duplicateOf == nil, let digest = run.drop?.sha256 {
        run.duplicateOf = try await bench.store.setDigest(run.id, sha256: digest).duplicateOf
      }
      return try await end(&run, .done, "skipped: the same content as run #\(twin.number)")
    }
    return nil
  }

  private func complete(_ run: inout Run) async throws {
    guard let drop = run.drop, drop.sha256 == nil else { return }
    let digest = try bench.spool.digest(of: drop.name, of: run.id)
    let recorded = try await bench.store.setDigest(run.id, sha256: digest)
    run.drop?.sha256 = digest
    run.duplicateOf = recorded.duplicateOf
    run.parent = recorded.parent
  }

  private func awaitMaker(_ run: inout Run) async throws {
    while run.parent == nil, cancellation.cause == nil, try await bench.store.reader.mayEndLine(run) {
      try await bench.clock.sleep(for: Self.look)
      run.parent = try await bench.store.reader.run(matching: .id(run.id)).parent
    }
  }

  private func loop(_ run: Run) async throws -> String? {
    guard run.parent != nil else { return nil }
    let line = try await bench.store.reader.ancestors(of: run.id, limit: Lineage.deepest + 1)
    guard line.count > Lineage.deepest else { return nil }
    return "is the last of a line of more than \(Lineage.deepest) drops that runs put into the inbox themselves: "
      + "a stage or a hook feeds its own pipeline; mend it, then retry this drop"
  }

  private func end(_ run: inout Run, _ state: RunState, _ reason: String) async throws -> RunExecutor.Disposition {
    try await bench.store.end(run.id, RunEnding(state, reason: reason), at: bench.now())
    bench.say(.runEnded(state, seconds: 0, reason: reason), run)
    run.state = state
    run.reason = reason
    return .ended(state, reason: reason)
  }

  private func park(_ run: Run, _ reason: String) async throws -> RunExecutor.Disposition {
    let until = bench.now() + Self.pause
    try await bench.store.park(run.id, until: until, reason: reason, at: bench.now())
    bench.say(.runWaiting(until: until, reason: reason), run)
    return .parked(until: until)
  }
}

extension Workbench {
  /// What becomes of a content that was done before.
  func duplicates(in pipeline: Pipeline) -> DuplicateRule { pipeline.trigger.duplicates ?? settings.duplicates }

  /// Says that a drop is no longer what was claimed: without a lease its writer may have come back.
  func taint(of run: Run) -> String? {
    guard run.trigger == .drop, let drop = run.drop, let now = try? spool.sample(of: drop.name, of: run.id) else {
      return nil
    }
    if now.bytes == drop.bytes, drop.modified == nil || now.modified == drop.modified { return nil }
    let sizes =
      now.bytes == drop.bytes
      ? "it has \(Quantity.text(bytes: now.bytes)) as before, and was written to"
      : "it had \(Quantity.text(bytes: drop.bytes)) and has \(Quantity.text(bytes: now.bytes))"
    return "`\(drop.name.displayed)` changed after it was claimed: \(sizes); drop it again when it is whole"
  }
}
