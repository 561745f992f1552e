import Foundation

/// An e-detector for scores whose level and scatter nobody knows: an alarm when they have fallen.
///
/// The sum, over all times the fall may have begun, of the two-sample form of the `EProcess`: the scores since that time
/// against all before it, in units of their common standard deviation. Each term depends on the scores only through what
/// moving and stretching all of them leaves as it is, and is 1 in the mean while nothing falls (right-Haar priors;
/// Pérez-Ortiz, Lardy, de Heide and Grünwald, "E-statistics, group invariance and anytime valid testing", 2024). So as
/// long as the scores are independent, normal and on one level, whatever it is, the mean time to an alarm is at least
/// the threshold (Shin, Ramdas and Rinaldo, "E-detectors", 2023), from the first score on: there is no baseline to wait
/// for, and none that was hit badly.
package struct LevelDetector: Sendable {
  /// Scores between false alarms, at least, in the mean.
  package let runLength: Double
  /// s0: a standard deviation that every score has at least, in the unit of the scores.
  private let floor: Double
  /// Earlier starts than so many scores ago are left out, which only lowers the sum.
  private let memory = 96
  private var all = Moments()
  private var starts: [(before: Moments, since: Moments)] = []
  /// The sum as of the last score.
  package private(set) var evidence = 0.0

  package init(runLength: Double, floor: Double) {
    self.runLength = runLength
    self.floor = floor
  }

  package mutating func add(_ score: Double) {
    if all.count > 0 { starts.append((all, Moments())) }
    if starts.count > memory { starts.removeFirst() }
    all.add(score)
    evidence = 0
    for index in starts.indices {
      starts[index].since.add(score)
      evidence += fall(starts[index])
    }
  }

  package var isAlarm: Bool { evidence >= runLength }

  /// The likeliest fall: by how much, and over how many scores up to the last; `nil` where nothing fell.
  package var fall: (drop: Double, scores: Int)? {
    starts.map { (fall($0), $0) }.filter { $0.0 > 0 }.max { $0.0 < $1.0 }
      .map { ($0.1.before.mean - $0.1.since.mean, $0.1.since.count) }
  }

  /// Forgets all scores.
  package mutating func restart() { self = LevelDetector(runLength: runLength, floor: floor) }

  /// E of "it has fallen since"; 0 where the scores rose, which only lowers the sum.
  private func fall(_ start: (before: Moments, since: Moments)) -> Double {
    let drop = start.before.mean - start.since.mean
    guard drop > 0 else { return 0 }
    let (before, since) = (Double(start.before.count), Double(start.since.count))
    let freedom = before + since - 1
    let within = start.before.scatter + start.since.scatter + freedom * floor * floor
    return exp(min(600, EProcess.logE(gap: drop, weight: before * since / (before + since), within: within, freedom)))
  }
}
