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
    /// Since when its writer has had it open, and whether that was told of.
    var openSince: Duration?
    var isToldStuck = false
    /// Its done file lies there.
    var isAnnounced = false
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
  /// Drops that wait for their done file, and the other way round.
  private var awaiting: [FileName: FileName] = [:]
  private var awaited: [FileName: Set<FileName>] = [:]
  /// Names that stay in the inbox although they were taken, as they were then.
  private var kept: [FileName: FileSample] = [:]

  init(times: Settling.Times) { self.times = times }

  var count: Int { byName.count }

  /// An event or a scan named it.
  /// - Parameter moved: `nil` where only the scan found it.
  mutating func notice(_ name: FileName, moved: Bool?, now: Duration) {
    stopAwaiting(name)
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
  func knows(_ name: FileName) -> Bool {
    byName[name] != nil || unmatched.contains(name) || held[name] != nil || awaiting[name] != nil
  }

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
  /// - Parameter isAnnounced: whether its done file says that it is whole.
  mutating func looked(
    at name: FileName, _ sample: FileSample, _ openness: Openness, isAnnounced: Bool = false, now: Duration
  ) -> Bool {
    guard var candidate = byName[name] else { return false }
    if isAnnounced, !candidate.isAnnounced { candidate.settling.noticed(moved: true, now: now) }
    candidate.isAnnounced = isAnnounced
    candidate.openSince = openness == .openForWriting ? candidate.openSince ?? now : nil
    if candidate.openSince == nil { candidate.isToldStuck = false }
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
    stopAwaiting(name)
  }

  /// Whether the writer of a drop has had it open for longer than `limit`, told once.
  mutating func isNewlyStuck(_ name: FileName, _ limit: Duration, now: Duration) -> Bool {
    guard let candidate = byName[name], let since = candidate.openSince, now - since >= limit, !candidate.isToldStuck
    else { return false }
    byName[name]?.isToldStuck = true
    return true
  }

  /// It is looked at again when its done file comes.
  mutating func await(_ doneFile: FileName, for name: FileName) {
    forget(name)
    awaiting[name] = doneFile
    awaited[doneFile, default: []].insert(name)
  }

  /// A name came that drops may wait for.
  mutating func announced(by doneFile: FileName, now: Duration) {
    for name in awaited[doneFile] ?? [] { notice(name, moved: nil, now: now) }
  }

  private mutating func stopAwaiting(_ name: FileName) {
    guard let doneFile = awaiting.removeValue(forKey: name) else { return }
    awaited[doneFile]?.remove(name)
    if awaited[doneFile]?.isEmpty == true { awaited[doneFile] = nil }
  }

  /// It was taken and stays where it is.
  mutating func keep(_ name: FileName, _ sample: FileSample) {
    forget(name)
    kept[name] = sample
  }

  /// Whether a look finds what was taken already, and nothing newer.
  mutating func isKept(_ name: FileName, _ sample: FileSample) -> Bool {
    guard kept[name] == sample else { return false }
    byName[name] = nil
    return true
  }

  /// Looks at a name again at a moment, for it could not be claimed now.
  mutating func postpone(_ name: FileName, until due: Duration) {
    guard byName[name] != nil else { return }
    byName[name]?.due = due
    looks.insert(Look(at: due, name: name))
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
    for name in Array(unmatched) + Array(awaiting.keys) { notice(name, moved: nil, now: now) }
  }

  /// Looks at the held again: from time to time, for what holds them may be gone.
  mutating func reconsiderHeld(now: Duration) {
    for name in Array(held.keys) + Array(awaiting.keys) { notice(name, moved: nil, now: now) }
  }

  /// Names that are known and wait for nothing: held, unmatched, or kept.
  var resting: Set<FileName> { unmatched.union(held.keys).union(kept.keys) }

  /// Forgets names that rest and were not found any more.
  mutating func forgetResting(_ names: Set<FileName>) {
    for name in names {
      held[name] = nil
      kept[name] = nil
      unmatched.remove(name)
    }
  }

  /// Whether something may come of waiting a little: nothing held or unmatched counts.
  var isSettling: Bool {
    byName.values.contains { if case .unreadable = $0.reason { false } else { $0.reason != .openForWriting } }
  }

  /// Every name with what it waits for, for `status` and `inbox`.
  func waiting() -> [(name: FileName, reason: String)] {
    let settling = byName.map { (name: $0.key, reason: $0.value.reason.words) }
    return settling + awaiting.map { (name: $0.key, reason: "waiting for its done file `\($0.value.displayed)`") }
  }
}
