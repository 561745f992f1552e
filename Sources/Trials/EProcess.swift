import Foundation

/// Evidence against "the mean is at most zero", which may be looked at after every value.
///
/// The scale-invariant mixture of the t-test, one-sided: E is the mean likelihood ratio over effects with a half-normal
/// prior N⁺(0, 1/c²), c = 1, of unknown variance (Lai 1976; Wang and Ramdas, "Anytime-valid t-tests and confidence
/// sequences", 2024, arXiv 2310.03722). If the values are normal with mean ≤ 0, P(E ever reaches 1/a) ≤ a. A
/// pseudo-variance `floor`² is added for every value, which only lowers E, so few values without scatter prove nothing.
package enum EProcess {
  /// log E of values with these moments.
  ///
  /// - Parameter floor: s0, in the unit of the values; 0 is the plain test.
  package static func logE(_ z: Moments, floor: Double) -> Double {
    guard z.count > 0 else { return 0 }
    let n = Double(z.count)
    return logE(gap: z.mean, weight: n, within: z.scatter + n * floor * floor, n)
  }

  /// log E of a gap that was measured, in the general linear model.
  ///
  /// - Parameters:
  ///   - weight: variance of a value over that of the gap: n of a mean, nm / (n + m) of the difference of two.
  ///   - within: sum of squares about the fitted means.
  ///   - freedom: values less what else was fitted: n of a mean, n + m − 1 of a difference of two.
  static func logE(gap: Double, weight: Double, within: Double, _ freedom: Double) -> Double {
    let square = weight * gap * gap
    // V − S²/(n + c²) and V of the closed form, without the difference of large numbers
    let inner = within + square / (weight + 1)
    let total = within + square
    guard inner > 0 else { return 0 }
    let u = weight * gap * freedom.squareRoot() / ((weight + 1) * inner).squareRoot()
    return log(2) - 0.5 * log1p(weight) + 0.5 * freedom * log(total / inner) + StudentT.logCDF(u, freedom: freedom)
  }
}
