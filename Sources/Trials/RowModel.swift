import Foundation

/// What the guard will ask of arms that were not evaluated yet: how much better than the margin an arm must be for the rows
/// to certify it, learnt from the arms like it.
struct RowModel: Sendable {
  /// By arm, 1.645 · 1.3 standard errors; `nil` before anything is known.
  private(set) var widths: [Double]?

  /// - Parameter known: the guard of each arm that has one.
  mutating func fit(_ known: [(arm: Int, rows: RowGuard)], factors: ArmFactors) {
    let evidence = known.filter { $0.rows.width > 0 }.map {
      Evidence(arm: $0.arm, value: log($0.rows.width), variance: 0.02)
    }
    guard !evidence.isEmpty else { return }
    let middle = evidence.reduce(0) { $0 + $1.value } / Double(evidence.count)
    let kernel = ArmModel.Kernel(scale: 0.3, pairs: 0.1, own: 0.3, noise: 0, common: 0)
    let model = ArmModel(evidence, factors: factors, kernel: kernel) { _ in middle }
    widths = model.map { model in (0..<factors.arms).map { exp(model.posterior(of: $0).mean) } }
  }

  /// The share of a width that more blocks leave: what is of the splits averages out, what is of the rows stays.
  static let lasting = 0.85

  /// P(the rows will certify the margin for the arm), by what is believed of it.
  static func probability(_ belief: Belief, width: Double, margin: Double) -> Double {
    let least = width * lasting
    return Belief(mean: belief.mean, variance: belief.variance + 0.09 * least * least)
      .probability(above: least - margin)
  }
}
