import Foundation

/// A count of worlds, with the interval of Wilson (95 %).
package struct Share: Sendable, CustomStringConvertible {
  package let value: Double
  package let low: Double
  package let high: Double

  package init(_ hits: Int, of count: Int) {
    let (n, z) = (Double(count), 1.96)
    value = Double(hits) / n
    let middle = value + z * z / (2 * n)
    let reach = z * (value * (1 - value) / n + z * z / (4 * n * n)).squareRoot()
    low = max(0, (middle - reach) / (1 + z * z / n))
    high = (middle + reach) / (1 + z * z / n)
  }

  package var description: String {
    String(format: "(%.1f %%, %.1f to %.1f)", value * 100, low * 100, high * 100)
  }
}
