import TrialWorlds

/// A year of `bench/trials/drift.py`: what each night would show, whether or not anyone looks.
struct MeasuredNights: Decodable, Sight {
  var margin: Double
  /// Of the arm in force, one a night; `null` where its run failed.
  var scores: [Double?]
  /// Differences to the control of one fold, one a night; `null` where the arm crashed.
  var folds: [Double?]
  /// The same of blocks, some a night.
  var blocks: [[Double?]]
  private var taken = (night: 0, count: 0)

  private enum CodingKeys: String, CodingKey {
    case margin, scores, folds, blocks
  }

  func score(on night: Int) -> Double? { scores[night - 1] }

  func fold(on night: Int) -> Double? { folds[night - 1] }

  mutating func block(on night: Int) -> Double? {
    if taken.night != night { taken = (night, 0) }
    taken.count += 1
    return blocks[night - 1][taken.count - 1]
  }
}
