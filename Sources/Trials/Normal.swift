import Foundation

/// The standard normal distribution.
package enum Normal {
  package static func density(_ z: Double) -> Double { exp(-z * z / 2) / (2 * Double.pi).squareRoot() }

  /// P(Z ≤ z).
  package static func cdf(_ z: Double) -> Double { erfc(-z / 2.0.squareRoot()) / 2 }

  /// The z below which a share of all values lies; `share` inside (0, 1).
  package static func quantile(_ share: Double) -> Double {
    var (low, high) = (-40.0, 40.0)
    while high - low > 1e-13 * max(1, abs(low)) {
      let middle = (low + high) / 2
      guard middle > low, middle < high else { break }
      if cdf(middle) < share { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }
}
