import Foundation

extension Race {
  /// What the numbers say now; at any look.
  package var verdict: Verdict {
    let incumbent = incumbent
    if incumbent != 0 { return .promote(promotion(of: incumbent)) }
    if holm == nil {
      let left = screening.probes.count
      return .continue(
        Outlook(
          missing: "the screening goes on; this round has \(left) folds", blocks: Double(left) / Double(plan.folds),
          cost: Double(left) / Double(plan.folds) * bank.blockCost(folds: plan.folds)))
    }
    if let (arm, forecast) = choice() {
      let bar = holm?.logThreshold(of: arm) ?? 0
      return .continue(
        Outlook(
          missing: "`\(name(of: arm))` has E \(Words.number(exp(logE(of: arm)))) of \(Words.number(exp(bar)))",
          blocks: forecast.blocks, cost: forecast.cost))
    }
    if let best = unresolvable.min(by: { $0.1 < $1.1 }) {
      return .unresolvable(arm: best.0, smallestMargin: best.1)
    }
    return .keep(reason: "no arm was shown to be as good and cheaper, and no further block pays")
  }

  /// Whether an arm beside the control has a whole block.
  package var isConfirming: Bool { lines.dropFirst().contains { $0.blocks > 0 } }

  /// Arms that only their rows stood against, with the smallest margin that those could certify.
  private var unresolvable: [(arm: Int, smallestMargin: Double)] {
    let setting = Setting(self)
    return lines.indices.dropFirst().compactMap { arm in
      guard let rows = lines[arm].rowGuard, case .closed(.unresolvable) = outlook(of: arm, in: setting) else {
        return nil
      }
      return (arm, rows.smallestMargin)
    }
  }

  private func promotion(of arm: Int) -> Promotion {
    let line = lines[arm]
    let guarded = line.rows.verdict(confidence: plan.confidence)?.holds(at: plan.margin) == true
    return Promotion(
      arm: arm, e: exp(min(logE(of: arm), 700)), threshold: exp(thresholdWhenAccepted(arm)), blocks: line.blocks,
      mean: line.differences.mean,
      interval: Interval(line.differences, confidence: plan.confidence, floor: plan.floor),
      saving: 1 - exp(line.costs.mean), guardRelaxed: plan.guarding == .relaxed && !guarded)
  }

  private func thresholdWhenAccepted(_ arm: Int) -> Double {
    min(lines[arm].threshold ?? .infinity, 700)
  }

  /// Every arm, in the plan's order.
  package var standings: [Standing] {
    let setting = Setting(self)
    return lines.indices.map { standing(of: $0, in: setting) }
  }

  private func standing(of arm: Int, in setting: Setting) -> Standing {
    let line = lines[arm]
    let interval = line.blocks > 1 ? Interval(line.differences, confidence: plan.confidence, floor: plan.floor) : nil
    let (state, reason) = state(of: arm, in: setting)
    let bar = line.threshold ?? holm?.logThreshold(of: arm)
    return Standing(
      arm: arm, state: state, blocks: line.blocks, mean: line.blocks > 0 ? line.differences.mean : nil,
      interval: interval.flatMap { $0.low.isFinite && $0.high.isFinite ? $0 : nil },
      e: holm == nil || arm == 0 ? nil : exp(min(logE(of: arm), 700)),
      threshold: bar.flatMap { $0.isFinite ? exp(min($0, 700)) : nil },
      cost: line.blocks > 0 ? exp(line.costs.mean) : costShare(of: arm), costIsMeasured: line.blocks > 0 || arm == 0,
      reason: reason)
  }

  private func state(of arm: Int, in setting: Setting) -> (Standing.State, String) {
    let line = lines[arm]
    if arm == 0 { return (.testing, "the control") }
    guard holm != nil else { return (.untried, "the screening goes on") }
    switch outlook(of: arm, in: setting) {
    case .closed(let closing):
      let state: Standing.State = closing == .accepted ? .accepted : closing == .dead ? .dead : .dropped
      return (state, words(on: closing, of: arm))
    case .pays(let forecast):
      let words = "about \(Words.number(forecast.blocks)) more blocks, \(Words.percent(forecast.probability)) likely"
      return (line.blocks > 0 ? .testing : .untried, words)
    }
  }

  private func name(of arm: Int) -> String { plan.arms[arm].key }
}
