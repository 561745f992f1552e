/// The number, mean and scatter of a sequence, kept as it grows (Welford 1962), so that sums of squares do not cancel.
package struct Moments: Sendable, Equatable, Codable {
  package private(set) var count = 0
  package private(set) var mean = 0.0
  /// Sum of squared distances from the mean.
  package private(set) var scatter = 0.0

  package init() {}

  package init(_ values: some Sequence<Double>) {
    for value in values { add(value) }
  }

  package mutating func add(_ value: Double) {
    count += 1
    let step = value - mean
    mean += step / Double(count)
    scatter += step * (value - mean)
  }

  /// Variance with n − 1; `nil` of fewer than two values.
  package var variance: Double? { count > 1 ? scatter / Double(count - 1) : nil }

  /// The same values, each moved by as much.
  package func shifted(by amount: Double) -> Moments {
    var moved = self
    moved.mean += amount
    return moved
  }

  /// The same values with the other sign.
  package var negated: Moments {
    var other = self
    other.mean = -mean
    return other
  }
}
