import Core
import Foundation
import Store

/// Takes up what an earlier agent left, whatever way it ended; to do it twice changes nothing.
///
/// The lock is held and the earlier spawner's programs are gone before this begins.
struct Recovery: Sendable {
  let bench: Workbench
  let book: PipelineBook
  let intake: Intake
  let dispatcher: Dispatcher
  let filer: Filer

  func run() async throws {
    let reader = bench.store.reader
    let interrupted = try await reader.runningAttempts()
    if !interrupted.isEmpty {
      try await bench.store.interrupt(interrupted, reason: "the agent died", at: bench.now())
    }
    // read before: what is adopted is queued by its claim; what a changed file began is queued already
    let known = dispatcher.known
    // a run whose source is still in the inbox may not begin
    let stuck = try await intake.takeUp(try await reader.leavingSources())
    let open = try await reader.openRuns().filter { !known.contains($0.id) && !stuck.contains($0.id) }
    let adopted = try await adoptWork(except: stuck)
    let broken = Dictionary(interrupted.map { ($0.run, $0.stage) }) { _, last in last }
    for run in open { try await takeUp(run, interruptedIn: broken[run.id]) }
    for run in try await reader.unfiled() where !stuck.contains(run.id) { filer.add(Filing(run, ended: run.state)) }
    if adopted > 0 || !open.isEmpty { bench.say(.recovered(runs: open.count, adopted: adopted)) }
  }

  /// Claims whose rename came before the end and whose row did not; copies that came to nothing.
  private func adoptWork(except stuck: Set<RunID>) async throws -> Int {
    let copies = try bench.spool.copiesInProgress()
    let work = try bench.spool.workInProgress()
    let known = try await bench.store.reader.knownRunIDs(of: copies + work.map(\.id))
    for id in copies where !stuck.contains(id) {
      if known.contains(id) { try bench.spool.adoptCopy(id) } else { try bench.spool.discardCopy(id) }
    }
    var adopted = 0
    for (id, names) in work where !known.contains(id) {
      if names.isEmpty {
        try bench.spool.discardWork(id)
      } else {
        for name in names { try await intake.adopt(name, of: id) }
        adopted += 1
      }
    }
    return adopted
  }

  private func takeUp(_ run: Run, interruptedIn stage: String?) async throws {
    if let stage, let disposition = try await Interruption(bench: bench).follow(run, in: stage) {
      switch disposition {
      case .ended(let state, let reason): filer.add(Filing(run, ended: state, reason: reason))
      case .parked(let until, _): dispatcher.park(run, until: until)
      case .interrupted: break
      }
    } else if run.state == .waiting, stage == nil {
      dispatcher.park(run, until: run.resumes)
    } else {
      dispatcher.add(run, priority: book.version(of: run.pipeline)?.pipeline.trigger.priority ?? 0)
    }
  }
}
