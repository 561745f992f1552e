/// What speaks for an arm that is watched: that it loses half a margin rather than two.
///
/// Nothing is promised of it: an arm is never put in force by it, only left alone.
enum Acquittal {
  /// How much likelier half a margin of loss must be than two.
  static let enough = 30.0

  /// Log likelihood ratio of differences to the control, taken as normal.
  ///
  /// - Parameter variance: of one difference.
  static func logOdds(_ differences: Moments, variance: Double, margin: Double) -> Double {
    Double(differences.count) * 1.5 * margin * (differences.mean + 1.25 * margin) / variance
  }
}
