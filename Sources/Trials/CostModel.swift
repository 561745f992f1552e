import Foundation

/// What arms cost, as shares of the control's cost: predicted from the screening's timings, until blocks measure it.
struct CostModel: Sendable {
  /// One an arm; the control's is 1.
  private(set) var predicted: [Double]
  /// Standard deviation of the logarithm of a prediction.
  private(set) var deviation = 0.7
  private let factors: ArmFactors

  init(factors: ArmFactors) {
    self.factors = factors
    predicted = (0..<factors.arms).map { max(0.1, 1 - 0.2 * Double(factors.changes(of: $0))) }
  }

  /// Ridge regression on levels and pairs of levels, in the form of a kernel.
  ///
  /// - Parameter ratios: cost of the arm's fold over the control's cost of the same fold.
  mutating func fit(_ ratios: [(arm: Int, ratio: Double)]) {
    let usable = ratios.filter { $0.ratio.isFinite && $0.ratio > 0 }
    guard let least = usable.map(\.ratio).min() else { return }
    let evidence = usable.map {
      Evidence(arm: $0.arm, value: $0.ratio, variance: 0.01 * 0.01 + 0.0225 * $0.ratio * $0.ratio)
    }
    let kernel = ArmModel.Kernel(scale: 0.3, pairs: 0.3, own: 0.02, noise: 0, common: 0)
    let factors = factors
    guard
      let model = ArmModel(
        evidence, factors: factors, kernel: kernel, prior: { max(0.1, 1 - 0.2 * Double(factors.changes(of: $0))) })
    else { return }
    predicted = (0..<factors.arms).map { arm in
      arm == 0 ? 1 : max(model.posterior(of: arm).mean, least / 2)
    }
    deviation = 0.3
  }
}
