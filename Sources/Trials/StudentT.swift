import Foundation

/// Student's t distribution.
///
/// Written here rather than taken from Boost.Math, for one function of some forty lines is less than a C++ target in every
/// build; `StudentTTests` holds it to scipy's `stdtr` within 1e-12 over a table.
package enum StudentT {
  /// Natural logarithm of P(T ≤ t), which does not underflow in the lower tail.
  ///
  /// - Parameter freedom: degrees of freedom, above 0.
  package static func logCDF(_ t: Double, freedom: Double) -> Double {
    guard t != 0 else { return log(0.5) }
    let logTail = log(0.5) + logBeta(tailOf: abs(t), freedom: freedom)
    return t < 0 ? logTail : log1p(-exp(logTail))
  }

  /// log of I_x(ν/2, 1/2) at x = ν/(ν + t²): both tails beyond ±t (Abramowitz and Stegun 26.7.1).
  private static func logBeta(tailOf t: Double, freedom: Double) -> Double {
    let (a, b) = (freedom / 2, 0.5)
    let square = t * t
    let (x, rest) = (freedom / (freedom + square), square / (freedom + square))
    let front = logGamma(a + b) - logGamma(a) - logGamma(b) - a * log1p(square / freedom) + b * log(rest)
    // the fraction converges fast below the mean of the beta distribution only; beyond it the complement is computed
    if x < (a + 1) / (a + b + 2) { return front + log(fraction(x, a, b) / a) }
    return log1p(-exp(front) * fraction(rest, b, a) / b)
  }

  /// The continued fraction of the incomplete beta function by Lentz's method (DLMF 8.17.22).
  private static func fraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
    let least = 1e-300
    func kept(_ value: Double) -> Double { abs(value) < least ? least : value }
    var c = 1.0
    var d = 1 / kept(1 - (a + b) * x / (a + 1))
    var result = d
    for step in 1...500 {
      let m = Double(step)
      let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
      d = 1 / kept(1 + even * d)
      c = kept(1 + even / c)
      result *= d * c
      let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
      d = 1 / kept(1 + odd * d)
      c = kept(1 + odd / c)
      let factor = d * c
      result *= factor
      if abs(factor - 1) < 1e-16 { break }
    }
    return result
  }

  /// log Γ(x) of a positive multiple of one half or any other positive number.
  private static func logGamma(_ x: Double) -> Double {
    // Stirling's series, after the recurrence has brought the argument where it is exact to rounding (DLMF 5.11.1)
    var (x, product) = (x, 1.0)
    while x < 15 {
      product *= x
      x += 1
    }
    let square = 1 / (x * x)
    let series =
      (1.0 / 12 - square * (1.0 / 360 - square * (1.0 / 1260 - square * (1.0 / 1680 - square * (1.0 / 1188))))) / x
    return (x - 0.5) * log(x) - x + 0.5 * log(2 * Double.pi) + series - log(product)
  }
}
