import Core
import HeapModule

/// The names in the inbox that intake has seen, and when it looks at each again.
struct Candidates {
  /// What a name waits for; one that is due is looked at.
  private struct Candidate {
    var settling: Settling
    var due: Duration
    var reason: Settling.Reason
    /// What was said of it when it was last held or unmatched, so that the same is not said again.
    var said: String?
  }

  private static let unmatchedSaid = ""

  private struct Look: Comparable {
    var at: Duration
    var name: FileName

    static func < (left: Look, right: Look) -> Bool { left.at < right.at }
  }

  private let times: Settling.Times
  private var byName: [FileName: Candidate] = [:]
  private var looks = Heap<Look>()
  /// Names that will not settle by waiting: why they stay.
  private(set) var held: [FileName: String] = [:]
  private(set) var unmatched: Set<FileName> = []

  init(times: Settling.Times) { self.times = times }

  var count: Int { byName.count }

  /// An event or a scan named it.
  /// - Parameter moved: `nil` where only the scan found it.
  mutating func notice(_ name: FileName, moved: Bool?, now: Duration) {
    let said = held.removeValue(forKey: name) ?? (unmatched.remove(name) == nil ? nil : Self.unmatchedSaid)
    if var known = byName[name] {
      guard let moved else { return }
      known.settling.noticed(moved: moved, now: now)
      known.due = now
      byName[name] = known
    } else {
      let settling = Settling(times: times, moved: moved ?? false, now: now)
      byName[name] = Candidate(settling: settling, due: now, reason: .settling, said: moved == nil ? said : nil)
    }
    looks.insert(Look(at: now, name: name))
  }

  /// Whether a scan need not notice this name again.
  func knows(_ name: FileName) -> Bool { byName[name] != nil || unmatched.contains(name) || held[name] != nil }

  /// Takes out up to `limit` names whose time has come.
  mutating func takeDue(now: Duration, limit: Int) -> [FileName] {
    var names: [FileName] = []
    while names.count < limit, let first = looks.min, first.at <= now {
      looks.removeMin()
      // a later notice may have moved the look: then this one is stale
      if byName[first.name]?.due == first.at { names.append(first.name) }
    }
    return names
  }

  /// When the next name is due.
  var nextDue: Duration? { looks.min?.at }

  /// When a waiting name is looked at again.
  func due(_ name: FileName) -> Duration? { byName[name]?.due }

  /// Takes one look in and says whether the name may be claimed.
  mutating func looked(at name: FileName, _ sample: FileSample, _ openness: Openness, now: Duration) -> Bool {
    guard var candidate = byName[name] else { return false }
    switch candidate.settling.looked(sample, openness, now: now) {
    case .claim:
      return true
    case .wait(let time, let reason):
      candidate.reason = reason
      candidate.due = now + time
      byName[name] = candidate
      looks.insert(Look(at: candidate.due, name: name))
      return false
    }
  }

  mutating func forget(_ name: FileName) {
    byName[name] = nil
    held[name] = nil
    unmatched.remove(name)
  }

  /// - Returns: whether that is news.
  mutating func hold(_ name: FileName, _ reason: String) -> Bool {
    let said = byName.removeValue(forKey: name)?.said ?? held[name]
    unmatched.remove(name)
    held[name] = reason
    return said != reason
  }

  /// - Returns: whether that is news.
  mutating func leaveUnmatched(_ name: FileName) -> Bool {
    let said = byName.removeValue(forKey: name)?.said
    held[name] = nil
    return unmatched.insert(name).inserted && said != Self.unmatchedSaid
  }

  /// Looks at the unmatched again: the pipelines changed.
  mutating func reconsiderUnmatched(now: Duration) {
    for name in unmatched { notice(name, moved: nil, now: now) }
  }

  /// Looks at the held again: from time to time, for what holds them may be gone.
  mutating func reconsiderHeld(now: Duration) {
    for name in held.keys { notice(name, moved: nil, now: now) }
  }

  /// Makes names due that were taken out to be looked at, and could not be.
  mutating func lookAgain(at names: [FileName], now: Duration) {
    for name in names {
      byName[name]?.due = now
      if byName[name] != nil { looks.insert(Look(at: now, name: name)) }
    }
  }

  /// Whether something may come of waiting a little: nothing held or unmatched counts.
  var isSettling: Bool {
    byName.values.contains { if case .unreadable = $0.reason { false } else { $0.reason != .openForWriting } }
  }

  /// Every name with what it waits for, for `status` and `inbox`.
  func waiting() -> [(name: FileName, reason: String)] {
    byName.map { ($0.key, $0.value.reason.words) }
  }
}
