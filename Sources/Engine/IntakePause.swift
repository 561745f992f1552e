import Core

/// Whether nothing is taken in for now, why, and when to look again.
struct IntakePause: Sendable {
  private static let time = Duration.seconds(5)

  private(set) var shortage: Shortage?
  private var until = Duration.zero

  /// How long nothing is to be tried yet.
  func left(now: Duration) -> Duration { shortage == nil ? .zero : max(.zero, until - now) }

  /// What was short may be there: it is tried at once.
  mutating func doubt() { until = .zero }

  /// - Returns: how long to wait, and whether the trouble is news.
  mutating func begin(_ shortage: Shortage, now: Duration) -> (time: Duration, isNews: Bool) {
    let isNews = self.shortage.map { !$0.isSameKind(as: shortage) } ?? true
    (self.shortage, until) = (shortage, now + Self.time)
    return (Self.time, isNews)
  }

  /// - Returns: whether there was one.
  mutating func end() -> Bool {
    defer { shortage = nil }
    return shortage != nil
  }
}

extension Shortage {
  /// What is short now for a claim.
  static func now(spool: any Spool, inbox: any Inbox, _ settings: Settings) -> Shortage? {
    do {
      if let short = Shortage(of: try spool.room(), at: "var/", reserve: settings.reserve) { return short }
      return try inbox.isReadOnly() && settings.source == .move ? .readOnly("inbox/") : nil
    } catch {
      return .refused("\(error)")
    }
  }
}
