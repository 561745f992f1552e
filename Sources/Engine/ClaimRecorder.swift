import Core
import Foundation
import Store

/// Records drops that were taken in as runs, and hands those to the dispatcher.
struct ClaimRecorder: Sendable {
  /// Hashed at once, so that most drops need no second transaction for it.
  private static let hashedAtOnce = 1 << 20
  /// So many are synced while their rows are prepared; more would make everyone else's changes wait for long.
  private static let few = 4

  let bench: Workbench
  let book: PipelineBook
  let dispatcher: Dispatcher

  /// Makes claims durable, records them in one transaction that is committed after that, and only then says so.
  /// - Parameter mayBegin: whether first attempts are recorded too; not before the dispatcher works, for a death
  ///   until then would say that they were interrupted.
  /// - Throws: a failed sync, or what the store throws.
  func record(_ taken: [TakenDrop], mayBegin: Bool = true) async throws {
    if taken.isEmpty { return }
    if taken.count > Self.few {
      try makeDurable(taken)
      return try await recordRows(of: taken, mayBegin: mayBegin)
    }
    let gate = CommitGate()
    async let recorded: Void = recordRows(of: taken, mayBegin: mayBegin, when: gate)
    let synced = Result { try makeDurable(taken) }
    gate.open(synced)
    try synced.get()
    try await recorded
  }

  private func makeDurable(_ taken: [TakenDrop]) throws {
    try bench.spool.makeDurable(taken.map { ($0.id, $0.drop.name) })
  }

  /// - Parameter gate: what begins at once is begun while it stands there, up to its first program.
  private func recordRows(of taken: [TakenDrop], mayBegin: Bool, when gate: CommitGate? = nil) async throws {
    let new = taken.map { (run: newRun($0), pipeline: $0.drop.route?.version.pipeline) }
    let recorded = try await RunRecorder(bench: bench, dispatcher: dispatcher).record(
      new, mayBegin: mayBegin, when: gate
    ) { drafts in
      for (run, opened) in drafts where opened != nil { announce(run, opened: opened, recording: gate?.recording) }
    }
    for (run, opened) in recorded where gate == nil || opened == nil { announce(run, opened: opened) }
  }

  /// Records copies that are durable; nothing begins before `announce`.
  func recordCopies(_ copies: [TakenDrop]) async throws -> [Run] {
    defer { Failpoint.copyRecorded.pass() }
    return try await bench.store.claim(copies.map { NewRun(newRun($0), source: $0.source) })
  }

  /// Says that a run is there, and lets it begin.
  /// - Parameter recording: what it is to be on the record with, where it is not yet.
  func announce(_ run: Run, opened: Attempt? = nil, recording: Permit? = nil) {
    guard let drop = run.drop else { return }
    let bench = bench.waiting(for: recording)
    if run.state == .quarantined {
      bench.say(.dropQuarantined(drop.name, reason: run.reason ?? ""), run)
      dispatcher.takeQuarantined(run)
      return
    }
    bench.say(.dropClaimed(drop.name, bytes: drop.bytes), run)
    let priority = book.priority(of: run)
    dispatcher.add(run, priority: priority, opened: opened, recording: recording)
  }

  private func newRun(_ taken: TakenDrop) -> Run {
    let drop = taken.drop
    var recorded = Drop(
      name: drop.name, bytes: drop.sample.bytes, sha256: taken.sha256, captures: drop.route?.captures ?? [:],
      modified: drop.sample.modified, arrived: drop.arrived)
    var run = Run(
      id: taken.id, pipeline: drop.route?.version.pipeline.name ?? "", version: drop.route?.version.digest,
      trigger: .drop, created: bench.now(), parent: bench.spool.makerMark(of: drop.name, of: taken.id))
    if let refusal = drop.refusal {
      run.state = .quarantined
      run.reason = "`\(drop.name.displayed)` \(refusal)"
      run.ended = bench.now()
    } else if recorded.sha256 == nil, drop.sample.bytes <= Self.hashedAtOnce {
      recorded.sha256 = try? bench.spool.digest(of: drop.name, of: taken.id)
    }
    run.drop = recorded
    return run
  }
}
