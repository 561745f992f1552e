import Foundation

/// One number that says something of an arm, and how much.
struct Evidence: Sendable {
  var arm: Int
  var value: Double
  /// Variance of its noise, in units of `Kernel.noise`² where `isFold`, else plain.
  var variance: Double
  /// The screening's fold it is of: the values of one fold share the control's noise.
  var fold: Int?
}

/// A Gaussian process over arms: arms that share levels are alike, and pairs of levels have a word of their own.
struct ArmModel: Sendable {
  struct Kernel: Sendable, Equatable {
    /// Standard deviation of the effect of one level.
    var scale: Double
    /// Weight of a shared pair of levels against a shared level.
    var pairs: Double
    /// Weight of what only this very arm has.
    var own: Double
    /// Standard deviation of one fold's value, and the share of its variance that the fold has in common.
    var noise: Double
    var common: Double

    func between(_ shared: Int, same: Bool) -> Double {
      let levels = Double(shared)
      return scale * scale * (levels + pairs * levels * (levels - 1) / 2 + (same && shared > 0 ? own : 0))
    }
  }

  let kernel: Kernel
  /// log marginal likelihood up to a constant.
  let likelihood: Double
  private let factors: ArmFactors
  private let evidence: [Evidence]
  private let solver: SymmetricSolver
  private let weights: [Double]
  private let prior: @Sendable (Int) -> Double

  /// `nil` where the matrix is not positive definite, which only values that are no numbers make it.
  init?(
    _ evidence: [Evidence], factors: ArmFactors, kernel: Kernel, prior: @escaping @Sendable (Int) -> Double
  ) {
    let size = evidence.count
    var matrix = [Double](repeating: 0, count: size * size)
    for row in 0..<size {
      for column in 0...row {
        let (one, other) = (evidence[row], evidence[column])
        var value = kernel.between(factors.shared(one.arm, other.arm), same: one.arm == other.arm)
        if let fold = one.fold, fold == other.fold { value += kernel.noise * kernel.noise * kernel.common }
        if row == column {
          value += one.fold == nil ? one.variance : kernel.noise * kernel.noise * (1 - kernel.common) * one.variance
          value += 1e-9 * kernel.scale * kernel.scale
        }
        matrix[row * size + column] = value
      }
    }
    guard let solver = SymmetricSolver(matrix, size: size) else { return nil }
    let rest = evidence.map { $0.value - prior($0.arm) }
    let half = solver.forward(rest)
    self.factors = factors
    self.evidence = evidence
    self.kernel = kernel
    self.prior = prior
    self.solver = solver
    weights = solver.solve(rest)
    likelihood = -0.5 * half.reduce(0) { $0 + $1 * $1 } - solver.diagonal.reduce(0) { $0 + log($1) }
  }

  /// Mean and variance of what the arm truly is.
  func posterior(of arm: Int) -> Belief {
    let column = evidence.map { kernel.between(factors.shared(arm, $0.arm), same: arm == $0.arm) }
    var mean = prior(arm)
    for (index, value) in column.enumerated() { mean += value * weights[index] }
    let known = solver.forward(column).reduce(0) { $0 + $1 * $1 }
    let own = kernel.between(factors.changes(of: arm), same: true)
    return Belief(mean: mean, variance: max(own - known, 1e-9 * kernel.scale * kernel.scale))
  }
}

/// A normal belief about a number.
struct Belief: Sendable, Equatable {
  var mean: Double
  var variance: Double

  /// With the mean of new values, each of this variance.
  func after(mean other: Double, count: Int, variance noise: Double) -> Belief {
    guard count > 0 else { return self }
    let gain = variance / (variance + noise / Double(count))
    return Belief(mean: mean + gain * (other - mean), variance: variance * (1 - gain))
  }

  /// P(number ≥ bound).
  func probability(above bound: Double) -> Double { Normal.cdf((mean - bound) / variance.squareRoot()) }

  /// E[number − bound | number > bound].
  func excess(above bound: Double) -> Double {
    let deviation = variance.squareRoot()
    let distance = (mean - bound) / deviation
    guard distance > -8 else { return 0 }
    return mean - bound + deviation * Normal.density(distance) / Normal.cdf(distance)
  }
}
