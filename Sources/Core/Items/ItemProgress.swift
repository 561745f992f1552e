/// How far a fan-out stage has come.
package struct ItemProgress: Sendable, Equatable {
  package var stage: String
  /// Items that are to come through it, as far as is known; `nil` before they were counted.
  package var total: Int?
  package var ok: Int
  package var failed: Int
  package var skipped: Int
  /// Of `done`, those an earlier attempt did.
  package var kept: Int

  package init(stage: String, total: Int? = nil, ok: Int = 0, failed: Int = 0, skipped: Int = 0, kept: Int = 0) {
    self.stage = stage
    self.total = total
    self.ok = ok
    self.failed = failed
    self.skipped = skipped
    self.kept = kept
  }

  package var done: Int { ok + failed + skipped }

  /// Seconds left, at the pace of this attempt so far; `nil` where there is none yet.
  /// - Parameter elapsed: seconds since the attempt began.
  package func remaining(after elapsed: Double) -> Double? {
    guard let total, done > kept, elapsed > 0 else { return nil }
    return max(0, Double(total - done)) * elapsed / Double(done - kept)
  }
}
