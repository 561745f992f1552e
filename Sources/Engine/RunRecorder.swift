import Core
import Store

/// Records new runs in one transaction, and with them the first attempts of those that may begin at once.
struct RunRecorder: Sendable {
  typealias Recorded = (run: Run, opened: Attempt?)

  let bench: Workbench
  let dispatcher: Dispatcher

  /// - Parameters:
  ///   - pipeline: `nil` where the run is not to be worked.
  ///   - mayBegin: not before the dispatcher works: for a death until then would say that attempts were interrupted.
  /// - Returns: them as they are on the record; what was opened has its place and is to be given to the dispatcher.
  func record(
    _ new: [(run: Run, pipeline: Pipeline?)], mayBegin: Bool, when gate: CommitGate? = nil
  ) async throws -> [Recorded] {
    let places = mayBegin ? dispatcher.reservePlaces(new.count) : 0
    var used = 0
    let claims = new.map { run, pipeline -> NewRun in
      guard used < places, let pipeline, let attempt = Attempt.first(of: run, in: pipeline, bench: bench) else {
        return NewRun(run)
      }
      used += 1
      return NewRun(run, attempt: attempt)
    }
    dispatcher.giveBackPlaces(places - used)
    do {
      let runs = try await bench.store.claim(claims, when: gate)
      return zip(runs, claims).map { run, claim in
        let opened = run.state == .running ? claim.attempt : nil
        if claim.attempt != nil, opened == nil { dispatcher.giveBackPlaces(1) }
        return (run, opened)
      }
    } catch {
      dispatcher.giveBackPlaces(used)
      throw error
    }
  }
}
