import Core
import DequeModule

/// Runs that wait for a free place: the higher priority first, then the older.
struct RunQueue {
  struct Entry: Sendable {
    var run: Run
    var priority: Int
    /// The first attempt, where the claim has recorded it already: such a run has its place.
    var opened: Attempt?
  }

  private var byPriority: [Int: Deque<Entry>] = [:]
  private(set) var count = 0

  mutating func add(_ entry: Entry) {
    byPriority[entry.priority, default: []].append(entry)
    count += 1
  }

  mutating func next() -> Entry? {
    guard let priority = byPriority.keys.max(), let entry = byPriority[priority]?.popFirst() else { return nil }
    if byPriority[priority]?.isEmpty == true { byPriority[priority] = nil }
    count -= 1
    return entry
  }

  /// Whether a run is first in line whose attempt is recorded as begun.
  var hasOpened: Bool { byPriority[.max]?.first?.opened != nil }

  var ids: [RunID] { byPriority.values.flatMap { $0.map(\.run.id) } }

  /// Whether a run is in line that has ended already and of which only hooks are to be told.
  func isEnded(_ id: RunID) -> Bool {
    byPriority.values.contains { $0.contains { $0.run.id == id && $0.run.state.isTerminal } }
  }

  func contains(_ id: RunID) -> Bool {
    byPriority.values.contains { $0.contains { $0.run.id == id } }
  }

  /// Takes a run out that shall not be worked.
  mutating func remove(_ id: RunID) -> Entry? {
    for (priority, entries) in byPriority {
      guard let index = entries.firstIndex(where: { $0.run.id == id }) else { continue }
      let entry = byPriority[priority]?.remove(at: index)
      if byPriority[priority]?.isEmpty == true { byPriority[priority] = nil }
      count -= 1
      return entry
    }
    return nil
  }
}
