import Foundation

/// Whether the rows at hand can tell anything about rows not seen.
///
/// Blocks are splits of the same rows, so any number of them tells of this data only. Over the row-level differences
/// (mean m, standard error s), each averaged over the blocks, an arm must keep m − z · 1.3 · s ≥ −margin; the 1.3 covers
/// that the models of different folds share rows (trials-study.md 3c: measured, not derived).
package struct RowGuard: Sendable, Equatable, Codable {
  package static let inflation = 1.3

  /// Rows that both arms scored.
  package var rows: Int
  package var mean: Double
  package var error: Double
  /// The smallest margin that these rows could certify for this arm.
  package var smallestMargin: Double

  /// - Parameters:
  ///   - differences: one a row, the arm's score less the control's, averaged over blocks; rows without scores are NaN.
  ///   - control: the control's score of the same rows.
  package init?(differences: [Double], control: [Double], confidence: Double) {
    let moments = Moments(differences.lazy.filter { $0.isFinite })
    guard moments.count > 1 else { return nil }
    let n = Double(moments.count)
    // one more row on which the arms differ by as much as rows differ at all: no difference on few rows proves little
    let pseudo = Self.reach(of: control)
    rows = moments.count
    mean = moments.mean
    error = ((moments.scatter + pseudo * pseudo) / (n - 1) / n).squareRoot()
    smallestMargin = Normal.quantile(confidence) * Self.inflation * error - moments.mean
  }

  /// How much better than −margin the mean must be.
  package var width: Double { smallestMargin + mean }

  package func holds(at margin: Double) -> Bool { smallestMargin <= margin }

  /// The range of the control's scores, at most four standard deviations.
  private static func reach(of scores: [Double]) -> Double {
    let finite = scores.filter(\.isFinite)
    guard let low = finite.min(), let high = finite.max() else { return 0 }
    let moments = Moments(finite)
    return min(high - low, 4 * (moments.variance ?? 0).squareRoot())
  }
}
