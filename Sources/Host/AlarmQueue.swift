/// Timers in the order in which they are due.
struct AlarmQueue {
  private struct Entry {
    let id: UInt64
    /// CLOCK_MONOTONIC, nanoseconds.
    let due: Int64
    let job: Reactor.Job
  }

  /// The last is due first.
  private var entries: [Entry] = []

  /// When the first is due, CLOCK_MONOTONIC in nanoseconds.
  var next: Int64? { entries.last?.due }

  /// True where it is now the first; timers due at the same moment keep the order in which they were set.
  mutating func add(id: UInt64, due: Int64, job: @escaping Reactor.Job) -> Bool {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].due > due { low = middle + 1 } else { high = middle }
    }
    entries.insert(Entry(id: id, due: due, job: job), at: low)
    return low == entries.count - 1
  }

  mutating func remove(id: UInt64) {
    guard let index = entries.firstIndex(where: { $0.id == id }) else { return }
    entries.remove(at: index)
  }

  mutating func takeDue(now: Int64) -> [Reactor.Job] {
    var jobs: [Reactor.Job] = []
    while let last = entries.last, last.due <= now {
      jobs.append(last.job)
      entries.removeLast()
    }
    return jobs
  }
}
