import Core

/// One look at the whole inbox, in portions: what waits in memory is bounded however much lies there.
struct InboxSweep: Sendable {
  /// Names that may wait to settle at once; more stay unread until some of these are claimed.
  static let window = 16_384
  private static let portion = 1024

  private let names: any NameStream
  /// Known and waiting for nothing when it began, and not met yet: at the end they are gone.
  private var unmet: Set<FileName>

  init(of names: any NameStream, _ candidates: Candidates) {
    self.names = names
    unmet = candidates.resting
  }

  /// The next names; none where all have been read.
  /// - Throws: `HostError` where the inbox cannot be read.
  func portion() throws -> [FileName] { try names.next(Self.portion) }

  /// What is known already keeps its place in the settling.
  mutating func take(
    _ names: [FileName], into candidates: inout Candidates, now: Duration, passingOver isTaken: (FileName) -> Bool
  ) {
    for name in names where CandidateName.refusal(of: name) == nil {
      unmet.remove(name)
      if !candidates.knows(name), !isTaken(name) { candidates.notice(name, moved: nil, now: now) }
    }
  }

  /// Forgets what was not met, and looks again at what is held: what holds it may be gone.
  func end(_ candidates: inout Candidates, now: Duration) {
    candidates.forgetResting(unmet)
    candidates.reconsiderHeld(now: now)
  }
}
