import Core

/// What becomes of the slots of one pipeline, given what of it is still at work.
struct SlotDecision: Equatable {
  struct Entry: Equatable {
    var due: Int
    var state: Slot.State
    var missed = 0
    var reason: String?
  }

  /// The oldest first.
  private(set) var entries: [Entry] = []

  /// - Parameters:
  ///   - open: slots of the pipeline whose runs have not ended.
  ///   - queued: slots that wait for them, the oldest first.
  init(_ plan: SlotPlan?, overlap: OverlapRule, open: Int, queued: [Int]) {
    var open = open
    var waiting = queued
    let most: Int? = if case .allow(let most) = overlap { most } else { 1 }
    func hasPlace() -> Bool { most.map { open < $0 } ?? true }
    while hasPlace(), let due = waiting.first {
      entries.append(Entry(due: due, state: .fired))
      waiting.removeFirst()
      open += 1
    }
    for firing in plan?.firings ?? [] {
      var entry = Entry(due: firing.due, state: .fired, missed: firing.missed)
      if waiting.isEmpty, hasPlace() {
        open += 1
      } else if firing.isLate || overlap == .queueOne && waiting.isEmpty {
        // slots that are made up for wait for one another, whatever the rule
        entry.state = .queued
        entry.reason = "an earlier slot is still at work"
        waiting.append(firing.due)
      } else {
        entry.state = .skipped
        entry.reason =
          overlap == .queueOne
          ? "an earlier slot is still at work and another one waits for its end"
          : most == 1 ? "an earlier slot is still at work" : "\(open) earlier slots are still at work"
      }
      entries.append(entry)
    }
    if let missed = plan?.missed {
      entries.append(Entry(due: missed.due, state: .missed, missed: missed.count, reason: "no agent was there in time"))
    }
  }
}
