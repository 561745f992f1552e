import Core
import DequeModule

/// Runs that wait for a free place: the higher priority first, then the older.
///
/// Only the first few are held whole; of the others the id is enough, for they are on the record. So a backlog of a
/// million runs takes some megabytes.
struct RunQueue {
  struct Entry: Sendable {
    var id: RunID
    /// `nil` where it is to be read from the record.
    var run: Run?
    var pipeline: String
    var priority: Int
    /// The first attempt, where the claim has recorded it already: such a run has its place.
    var opened: Attempt?
    /// Of the run, where it is still on its way to the record.
    var recording: Permit?
    var standing: Standing

    init(run: Run, priority: Int, opened: Attempt? = nil, recording: Permit? = nil) {
      (id, self.run, pipeline, self.priority) = (run.id, run, run.pipeline, priority)
      (self.opened, self.recording) = (opened, recording)
      standing = run.state.isTerminal ? .ended : run.started == nil && opened == nil ? .fresh : .begun
    }

    fileprivate init(id: RunID, pipeline: String, priority: Int, standing: Standing) {
      (self.id, self.pipeline, self.priority, self.standing) = (id, pipeline, priority, standing)
    }
  }

  enum Standing: Sendable {
    /// Nothing of it was ever run.
    case fresh
    case begun
    /// Only hooks are to be told of it.
    case ended
  }

  private final class Whole: Sendable {
    let entry: Entry

    init(_ entry: Entry) { self.entry = entry }
  }

  private enum Place {
    case whole(Whole)
    case id(RunID.Bits, Standing, pipeline: String)

    var pipeline: String {
      switch self {
      case .whole(let whole): whole.entry.pipeline
      case .id(_, _, let pipeline): pipeline
      }
    }

    var bits: RunID.Bits {
      switch self {
      case .whole(let whole): whole.entry.id.bits
      case .id(let bits, _, _): bits
      }
    }

    func entry(priority: Int) -> Entry {
      switch self {
      case .whole(let whole): whole.entry
      case .id(let bits, let standing, let pipeline):
        Entry(id: RunID(bits), pipeline: pipeline, priority: priority, standing: standing)
      }
    }
  }

  /// Held whole, so that a short queue reads nothing twice.
  private static let wholeOnes = 1024

  private var byPriority: [Int: Deque<Place>] = [:]
  private var whole = 0
  private(set) var count = 0

  mutating func add(_ entry: Entry) {
    count += 1
    if whole < Self.wholeOnes || entry.opened != nil {
      whole += 1
      byPriority[entry.priority, default: []].append(.whole(Whole(entry)))
    } else {
      byPriority[entry.priority, default: []].append(.id(entry.id.bits, entry.standing, pipeline: entry.pipeline))
    }
  }

  /// - Parameter isFull: whether no more runs of a pipeline may begin.
  mutating func next(unless isFull: (String) -> Bool = { _ in false }) -> Entry? {
    guard let (priority, index) = firstIndex(unless: isFull) else { return nil }
    return take(index, priority)
  }

  /// Each pipeline is asked about once: those that are full are passed over, however many of their runs wait.
  private func firstIndex(unless isFull: (String) -> Bool) -> (priority: Int, index: Int)? {
    var answers: [String: Bool] = [:]
    for priority in byPriority.keys.sorted(by: >) {
      let index = byPriority[priority]?.firstIndex { place in
        let pipeline = place.pipeline
        if let known = answers[pipeline] { return !known }
        answers[pipeline] = isFull(pipeline)
        return answers[pipeline] == false
      }
      if let index { return (priority, index) }
    }
    return nil
  }

  private mutating func take(_ index: Int, _ priority: Int) -> Entry? {
    guard let place = byPriority[priority]?.remove(at: index) else { return nil }
    if byPriority[priority]?.isEmpty == true { byPriority[priority] = nil }
    count -= 1
    if case .whole = place { whole -= 1 }
    return place.entry(priority: priority)
  }

  /// What `next` takes.
  func first(unless isFull: (String) -> Bool = { _ in false }) -> Entry? {
    firstIndex(unless: isFull).flatMap { priority, index in byPriority[priority]?[index].entry(priority: priority) }
  }

  /// Whether a run is first in line whose attempt is recorded as begun.
  var hasOpened: Bool { byPriority[.max]?.first?.entry(priority: .max).opened != nil }

  var ids: [RunID] { byPriority.values.flatMap { $0.map { RunID($0.bits) } } }

  /// Whether a run is in line that has ended already and of which only hooks are to be told.
  func isEnded(_ id: RunID) -> Bool {
    guard let (priority, index) = find(id) else { return false }
    return byPriority[priority]?[index].entry(priority: priority).standing == .ended
  }

  func contains(_ id: RunID) -> Bool { find(id) != nil }

  /// Takes a run out that shall not be worked.
  mutating func remove(_ id: RunID) -> Entry? {
    guard let (priority, index) = find(id) else { return nil }
    return take(index, priority)
  }

  private func find(_ id: RunID) -> (priority: Int, index: Int)? {
    let bits = id.bits
    for (priority, places) in byPriority {
      if let index = places.firstIndex(where: { $0.bits == bits }) { return (priority, index) }
    }
    return nil
  }
}
