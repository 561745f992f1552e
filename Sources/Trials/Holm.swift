import Foundation

/// The correction for many arms: weighted Holm on e-values, valid however the arms depend on each other.
package struct Holm: Sendable, Equatable {
  /// α: the probability allowed of ever accepting any arm that is inferior.
  package let error: Double
  /// One weight an arm; their sum is 1, and they were fixed before the first block.
  package let weights: [Double]
  private var open: Double

  package init(error: Double, weights: [Double]) {
    self.error = error
    self.weights = weights
    open = weights.reduce(0, +)
  }

  /// log of what E must reach for the arm to be accepted now; infinite for an arm without weight.
  package func logThreshold(of arm: Int) -> Double {
    weights[arm] > 0 ? log(max(open, weights[arm]) / (error * weights[arm])) : .infinity
  }

  /// The arm's hypothesis is rejected: what it held is shared by the others.
  package mutating func reject(_ arm: Int) { open -= weights[arm] }
}
