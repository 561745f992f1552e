import Core
import Foundation

/// Runs that wait: for their time to come, or for a person.
struct Parking {
  private struct Parked {
    var run: Run
    /// `nil` waits for a person.
    var until: Date?
    /// The same on a clock that nobody sets: a day that is lived twice must not keep a run waiting for a day.
    var due: Duration?
    var isDeferred: Bool

    func wait(at now: Date, _ monotonic: Duration) -> Duration? {
      guard let until, let due else { return nil }
      return max(.zero, min(.seconds(until.timeIntervalSince(now)), due - monotonic))
    }
  }

  private var parked: [RunID: Parked] = [:]

  var ids: some Sequence<RunID> { parked.keys }

  func contains(_ id: RunID) -> Bool { parked[id] != nil }

  /// - Parameter isDeferred: whether a hook put it off.
  mutating func add(_ run: Run, until: Date?, isDeferred: Bool, at now: Date, _ monotonic: Duration) {
    let due = until.map { monotonic + .seconds(max(0, $0.timeIntervalSince(now))) }
    parked[run.id] = Parked(run: run, until: until, due: due, isDeferred: isDeferred)
  }

  mutating func take(_ id: RunID) -> Run? { parked.removeValue(forKey: id)?.run }

  /// Takes out those whose time has come.
  mutating func takeDue(at now: Date, _ monotonic: Duration) -> [Run] {
    let due = parked.values.filter { $0.wait(at: now, monotonic).map { $0 <= .zero } ?? false }.map(\.run)
    for run in due { parked[run.id] = nil }
    return due
  }

  /// Until the next one's time comes; `nil` where none has one.
  func nextWait(at now: Date, _ monotonic: Duration) -> Duration? {
    parked.values.compactMap { $0.wait(at: now, monotonic) }.min()
  }

  /// Whether one resumes before `horizon`; what a hook deferred does not count.
  func resumes(before horizon: Date) -> Bool {
    parked.values.contains { !$0.isDeferred && $0.until.map { $0 <= horizon } ?? false }
  }
}
