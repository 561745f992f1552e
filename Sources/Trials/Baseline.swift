/// The level of the nightly score while all was well: the first nights after a promotion or after a cleared alarm.
struct Baseline: Sendable {
  private static let nights = 21
  private let margin: Double
  /// The least standard deviation believed; scores that are all the same have some, too.
  private let least: Double
  private var scores: [Double] = []
  /// Without those that fell away altogether; empty until it is complete.
  private(set) var good: [Double] = []
  private(set) var kept = Moments()
  /// Nights that fell away.
  private(set) var spikes = 0

  init(margin: Double, least: Double) {
    self.margin = margin
    self.least = least
  }

  var isComplete: Bool { kept.count > 0 }
  var mean: Double { kept.mean }
  var deviation: Double { max((kept.variance ?? 0).squareRoot(), least) }

  /// Whether a score fell away altogether: by eight margins and three deviations.
  func isSpike(drop: Double) -> Bool { isSpike(drop: drop, deviation: deviation) }

  private func isSpike(drop: Double, deviation: Double) -> Bool { drop > 8 * margin + 3 * deviation }

  mutating func add(_ score: Double) {
    scores.append(score)
    guard scores.count == Self.nights else { return }
    let median = Self.median(scores)
    // of normal scores 1.4826 times their median distance from the median is the standard deviation
    let deviation = max(1.4826 * Self.median(scores.map { abs($0 - median) }), least)
    good = scores.filter { !isSpike(drop: median - $0, deviation: deviation) }
    spikes = scores.count - good.count
    kept = Moments(good)
    scores = []
  }

  private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
}
