/// How long a transaction is put off so that more changes share its fsync.
///
/// One that is urgent is never put off, nor one that came alone: where none of its kind came shortly before it, none is
/// likely to come shortly after.
struct CommitPatience: Sendable {
  /// What a transaction waits for others at most.
  static let pace = Duration.milliseconds(4)
  /// As close upon each other as changes must come.
  static let near = Duration.milliseconds(8)

  /// Until when the transaction that is gathered is put off; `nil` where it is not.
  private(set) var end: ContinuousClock.Instant?
  private var isUrgent = false
  private var last: [GroupCommit.Kind: ContinuousClock.Instant] = [:]

  /// A change comes.
  /// - Parameter isFirst: of its transaction.
  mutating func take(_ urgency: GroupCommit.Urgency, isFirst: Bool, at now: ContinuousClock.Instant) {
    if isFirst {
      end = nil
      isUrgent = false
    }
    switch urgency {
    case .now: isUrgent = true
    case .soon(let kind):
      if isFirst, let last = last[kind], now - last < Self.near { end = now + Self.pace }
      last[kind] = now
    }
    if isUrgent { end = nil }
  }
}
