/// Nights whose score falls away altogether: one may be the data's, a level that lasts is another level, but a score that
/// comes back and falls away again is the arm's.
struct Spikes: Sendable {
  enum Judgement: Sendable, Equatable {
    case normal
    case first
    /// A second night in a row: the third decides.
    case waiting
    case lasting
    case again
  }

  private var seen = 0
  /// Spikes up to the last night, without one that was none between.
  private var row = 0

  /// The last night was a spike.
  var isOpen: Bool { row > 0 }

  /// Counts some that were seen only afterwards; more than one is the arm's.
  mutating func isMore(by count: Int) -> Bool {
    seen += count
    return count > 0 && seen > 1
  }

  mutating func judge(isSpike: Bool) -> Judgement {
    row = isSpike ? row + 1 : 0
    switch row {
    case 0: return .normal
    case 1:
      seen += 1
      return seen > 1 ? .again : .first
    case 2: return .waiting
    default:
      (seen, row) = (0, 0)
      return .lasting
    }
  }
}
