/// What is to become of the slots that have passed since the last look.
package struct SlotPlan: Sendable, Equatable {
  /// A slot that is to run now.
  package struct Firing: Sendable, Equatable {
    package var due: Int
    /// Slots before it that are passed over.
    package var missed: Int
    /// Whether it is made up for: it was missed.
    package var isLate: Bool
  }

  /// The oldest first.
  package var firings: [Firing] = []
  /// The newest slot where none is to run, and how many were missed with it.
  package var missed: (due: Int, count: Int)?

  package static func == (left: SlotPlan, right: SlotPlan) -> Bool {
    left.firings == right.firings && left.missed?.due == right.missed?.due && left.missed?.count == right.missed?.count
  }

  /// A slot is on time so many seconds after it was due.
  package static let prompt = 60

  /// - Parameters:
  ///   - seen: what became of every slot up to here is decided.
  ///   - now: seconds since 1970 UTC, without the pipeline's own delay.
  package init(_ schedule: Schedule, _ slots: Slots, after seen: Int, now: Int) {
    let most = if case .all(let most) = schedule.missed { most } else { 1 }
    let (count, newest) = slots.due(after: seen, upTo: now, newest: most + 1)
    guard let last = newest.last else { return }
    let isPrompt = now - last <= Self.prompt
    let left = isPrompt ? newest.dropLast() : newest[...]
    let oldest = schedule.grace.map { now - Int($0.components.seconds) } ?? .min
    let late: [Int] =
      switch schedule.missed {
      case .skip: []
      // the slot that is due now stands for those before it
      case .once: isPrompt ? [] : left.filter { $0 >= oldest }.suffix(1)
      case .all(let most): left.filter { $0 >= oldest }.suffix(most)
      }
    firings = late.map { Firing(due: $0, missed: 0, isLate: true) }
    if isPrompt { firings.append(Firing(due: last, missed: 0, isLate: false)) }
    let rest = count - firings.count
    if firings.isEmpty { missed = (last, count) } else { firings[0].missed = rest }
  }
}
