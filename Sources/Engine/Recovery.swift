import Core
import Foundation
import Store

/// Takes up what an earlier agent left, whatever way it ended; to do it twice changes nothing.
///
/// The lock is held and the earlier spawner's programs are gone before this begins.
struct Recovery: Sendable {
  /// Runs that are turned in one transaction: each has its own step, and all of them one sync.
  private static let batch = 500

  let bench: Workbench
  let book: PipelineBook
  let intake: Intake
  let dispatcher: Dispatcher
  let filer: Filer

  func run() async throws {
    let reader = bench.store.reader
    // read before: what is adopted is queued by its claim; what a changed file began is queued already
    let known = dispatcher.known
    // a run whose source is still in the inbox may not begin
    let stuck = try await intake.takeUp(try await reader.leavingSources())
    var open = try await reader.openRuns().filter { !known.contains($0.id) && !stuck.contains($0.id) }
    let left = Dictionary(grouping: try await reader.runningAttempts(), by: \.run)
    let adopted = try await adoptWork(except: stuck)
    let ended = try await end(filedBefore: open, left)
    open.removeAll { ended.contains($0.id) }
    try await takeUp(interrupted: open.filter { left[$0.id] != nil }, left)
    for run in open where left[run.id] == nil {
      takeUp(run)
      Failpoint.recoveryTaken.pass()
    }
    for run in try await reader.unfiled() where !stuck.contains(run.id) {
      filer.add(Filing(run, ended: run.state))
      Failpoint.recoveryRefiled.pass()
    }
    if adopted > 0 || !open.isEmpty { bench.say(.recovered(runs: open.count, adopted: adopted)) }
  }

  /// Ends runs whose drops are filed already: the database was put back from a backup, and they had ended since.
  /// - Returns: which.
  private func end(filedBefore runs: [Run], _ left: [RunID: [Attempt]]) async throws -> Set<RunID> {
    let work = Set(try bench.spool.workInProgress().map(\.id))
    var endings: [(run: Run, step: Step, state: RunState, reason: String)] = []
    for run in runs where run.drop != nil && !work.contains(run.id) {
      guard let place = try bench.spool.filedPlace(of: run.id) else { continue }
      let now = bench.now()
      let state: RunState =
        switch place {
        case .done: .done
        case .failed: .failed
        case .quarantine: .quarantined
        }
      let reason =
        "its drop was in `var/\(place.rawValue)` already: the run had ended"
        + (place == .failed ? ", failed or cancelled," : "") + " after the database was written that was put back"
      let closed = (left[run.id] ?? []).map { $0.interrupted(at: now, because: reason) }
      let step = Step(run: run.id, at: now, closed: closed, turn: .ends(RunEnding(state, reason: reason)))
      endings.append((run, step, state, reason))
    }
    for start in stride(from: 0, to: endings.count, by: Self.batch) {
      try await bench.store.advance(endings[start..<min(start + Self.batch, endings.count)].map(\.step))
    }
    for (run, _, state, reason) in endings {
      bench.say(.runEnded(state, seconds: 0, reason: reason), run)
      filer.add(Filing(run, ended: state, reason: reason))
    }
    return Set(endings.map(\.run.id))
  }

  /// Claims whose rename came before the end and whose row did not; copies that came to nothing.
  private func adoptWork(except stuck: Set<RunID>) async throws -> Int {
    let copies = try bench.spool.copiesInProgress()
    let work = try bench.spool.workInProgress()
    let known = try await bench.store.reader.knownRunIDs(of: copies + work.map(\.id))
    for id in copies where !stuck.contains(id) {
      if known.contains(id) { try bench.spool.adoptCopy(id) } else { try bench.spool.discardCopy(id) }
    }
    var adopted: [(id: RunID, name: FileName)] = []
    for (id, names) in work where !known.contains(id) {
      // a claim is one file: what someone else put beside it goes where it goes
      guard let name = names.min(by: { $0.bytes.lexicographicallyPrecedes($1.bytes) }) else {
        try bench.spool.discardWork(id)
        Failpoint.recoveryDiscarded.pass()
        continue
      }
      adopted.append((id, name))
    }
    try await intake.adopt(adopted)
    if !adopted.isEmpty { Failpoint.recoveryAdopted.pass() }
    return adopted.count
  }

  private func takeUp(interrupted runs: [Run], _ left: [RunID: [Attempt]]) async throws {
    let interruption = Interruption(bench: bench, book: book)
    for start in stride(from: 0, to: runs.count, by: Self.batch) {
      var turns: [(run: Run, step: Step, verdict: Interruption.Verdict)] = []
      for run in runs[start..<min(start + Self.batch, runs.count)] {
        let (step, verdict) = try await interruption.step(for: run, left: left[run.id] ?? [], because: "the agent died")
        turns.append((run, step, verdict))
      }
      Failpoint.recoveryInterrupting.pass()
      try await bench.store.advance(turns.map(\.step))
      Failpoint.recoveryInterrupted.pass()
      for (run, step, verdict) in turns {
        switch interruption.say(verdict, of: run, step) {
        case .ended(let state, let reason): filer.add(Filing(run, ended: state, reason: reason))
        case .parked(let until, _): dispatcher.park(run, until: until)
        case .crowded, .interrupted, nil: queue(run)
        }
      }
    }
  }

  private func takeUp(_ run: Run) {
    if run.state == .waiting { dispatcher.park(run, until: run.resumes) } else { queue(run) }
  }

  private func queue(_ run: Run) {
    dispatcher.add(run, priority: book.priority(of: run))
  }
}
