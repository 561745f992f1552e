import Foundation

/// Where a mean lies: each end is right at every look, with the confidence asked for; infinite where no mean is ruled out.
package struct Interval: Sendable, Equatable, Codable {
  package var low: Double
  package var high: Double

  package init(low: Double, high: Double) {
    self.low = low
    self.high = high
  }

  /// The confidence sequences from inverting the e-process, one from either side: every mean that it does not rule out.
  ///
  /// So what is accepted at a margin never has its low end below that.
  /// - Parameter floor: s0 of the e-process, in the unit of the values.
  package init(_ values: Moments, confidence: Double, floor: Double) {
    let bar = log(1 / (1 - confidence))
    low = Self.bound(values, bar: bar, floor: floor)
    high = -Self.bound(values.negated, bar: bar, floor: floor)
  }

  /// The smallest mean that is not ruled out from below, by bisection; −∞ where the values rule out none.
  private static func bound(_ values: Moments, bar: Double, floor: Double) -> Double {
    func ruledOut(_ mean: Double) -> Bool { EProcess.logE(values.shifted(by: -mean), floor: floor) >= bar }
    var high = values.mean
    var reach = max(floor, (values.variance ?? 0).squareRoot(), abs(values.mean) * 1e-12, 1e-300)
    let limit = reach * 1e9
    while !ruledOut(high - reach) {
      reach *= 2
      if reach > limit { return -.infinity }
    }
    var low = high - reach
    for _ in 0..<80 where high - low > 1e-12 * max(abs(low), abs(high)) {
      let middle = (low + high) / 2
      if ruledOut(middle) { low = middle } else { high = middle }
    }
    return low
  }
}

/// JSON has no infinity: an end that is one is left out.
extension Interval {
  private enum CodingKeys: CodingKey {
    case low
    case high
  }

  package init(from decoder: any Decoder) throws {
    let keys = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      low: try keys.decodeIfPresent(Double.self, forKey: .low) ?? -.infinity,
      high: try keys.decodeIfPresent(Double.self, forKey: .high) ?? .infinity)
  }

  package func encode(to encoder: any Encoder) throws {
    var keys = encoder.container(keyedBy: CodingKeys.self)
    if low.isFinite { try keys.encode(low, forKey: .low) }
    if high.isFinite { try keys.encode(high, forKey: .high) }
  }
}
