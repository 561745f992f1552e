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
    let square = n * z.mean * z.mean
    // V − S²/(n + c²) and V of the closed form, without the difference of large numbers
    let inner = z.scatter + n * floor * floor + square / (n + 1)
    let total = z.scatter + n * floor * floor + square
    guard inner > 0 else { return 0 }
    let u = n * z.mean * n.squareRoot() / ((n + 1) * inner).squareRoot()
    return log(2) - 0.5 * log1p(n) + 0.5 * n * log(total / inner) + StudentT.logCDF(u, freedom: n)
  }

  /// log E of values whose standard deviation is known to be 1: the same mixture of the z-test (Robbins 1970).
  package static func logE(unitDeviation z: Moments) -> Double {
    let n = Double(z.count)
    let sum = n * z.mean
    return log(2) - 0.5 * log1p(n) + sum * sum / (2 * (n + 1))
      + log(max(Normal.cdf(sum / (n + 1).squareRoot()), 1e-300))
  }
}
