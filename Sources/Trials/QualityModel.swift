/// What the screening and the blocks make likely of every arm's quality; it guides the search and claims nothing.
struct QualityModel: Sendable {
  private(set) var beliefs: [Belief]
  /// Standard deviation of one fold's difference, as the model has it.
  private(set) var noise: Double
  private var kernel: ArmModel.Kernel
  private let factors: ArmFactors
  private let margin: Double

  /// Before anything is measured: every change costs a quarter of the margin, give or take two margins.
  init(factors: ArmFactors, margin: Double) {
    self.factors = factors
    self.margin = margin
    noise = 2 * margin
    kernel = ArmModel.Kernel(scale: 2 * margin, pairs: 0.1, own: 0.08, noise: 2 * margin, common: 0.3)
    let kernel = kernel
    beliefs = (0..<factors.arms).map { arm in
      let changes = factors.changes(of: arm)
      return Belief(mean: -0.25 * margin * Double(changes), variance: kernel.between(changes, same: true))
    }
  }

  /// A catastrophe tells no more of the neighbours than a bad loss does.
  func bounded(_ difference: Double) -> Double { min(max(difference, -10 * margin), 10 * margin) }

  /// - Parameter choosing: the kernel is chosen anew by marginal likelihood.
  mutating func fit(_ evidence: [Evidence], choosing: Bool) {
    guard !evidence.isEmpty else { return }
    let prior = prior
    if choosing {
      var best = -Double.infinity
      for candidate in candidates {
        guard let model = ArmModel(evidence, factors: factors, kernel: candidate, prior: prior),
          model.likelihood > best
        else { continue }
        best = model.likelihood
        kernel = candidate
      }
      noise = kernel.noise
    }
    guard let model = ArmModel(evidence, factors: factors, kernel: kernel, prior: prior) else { return }
    beliefs = (0..<factors.arms).map { $0 == 0 ? Belief(mean: 0, variance: 1e-12) : model.posterior(of: $0) }
  }

  private var prior: @Sendable (Int) -> Double {
    let (factors, margin) = (factors, margin)
    return { -0.25 * margin * Double(factors.changes(of: $0)) }
  }

  private var candidates: [ArmModel.Kernel] {
    [0.5, 1, 2, 4, 8].flatMap { scale in
      [0.1, 0.4].flatMap { pairs in
        [0.25, 0.5, 1, 2, 4, 8].map { noise in
          ArmModel.Kernel(scale: scale * margin, pairs: pairs, own: 0.08, noise: noise * margin, common: 0.3)
        }
      }
    }
  }
}
