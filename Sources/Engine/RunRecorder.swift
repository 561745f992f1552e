import Core
import Store
import Synchronization

/// Records new runs in one transaction, and with them the first attempts of those that may begin at once.
struct RunRecorder: Sendable {
  typealias Recorded = (run: Run, opened: Attempt?)

  let bench: Workbench
  let dispatcher: Dispatcher

  /// - Parameters:
  ///   - pipeline: `nil` where the run is not to be worked.
  ///   - mayBegin: not before the dispatcher works: for a death until then would say that attempts were interrupted.
  ///   - drafted: told once of them all, before they are on the record, where there is a gate.
  /// - Returns: them as they are on the record; what was opened has its place and is to be given to the dispatcher.
  func record(
    _ new: [(run: Run, pipeline: Pipeline?)], mayBegin: Bool, when gate: CommitGate? = nil,
    drafted: @escaping @Sendable ([Recorded]) -> Void = { _ in }
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
    let promised = Promised(dispatcher: dispatcher, places: used)
    do {
      let recorded = try await bench.store.claim(claims, when: gate) { drafts in
        promised.settle(using: drafts.count { $0.attempt != nil })
        drafted(drafts.map { ($0.run, $0.attempt) })
      }
      promised.settle(using: recorded.count { $0.attempt != nil })
      return recorded.map { ($0.run, $0.attempt) }
    } catch {
      promised.settle(using: 0)
      throw error
    }
  }
}

/// Places that were promised to runs on their way to the record.
private final class Promised: Sendable {
  private let places: Mutex<Int?>
  private let dispatcher: Dispatcher

  init(dispatcher: Dispatcher, places: Int) {
    self.dispatcher = dispatcher
    self.places = Mutex(places)
  }

  /// Gives back what is not used; the first word stands.
  func settle(using used: Int) {
    let places = places.withLock { places in
      defer { places = nil }
      return places
    }
    if let places { dispatcher.giveBackPlaces(places - used) }
  }
}
