package import Core
package import Trials

/// Verdicts and arms in words.
package enum TrialWords {
  /// Whether anything was confirmed yet; a decided trial is put into its last state by who decides.
  package static func state(of race: Race) -> Trial.State {
    race.isConfirming ? .confirming : .screening
  }

  /// `clean=medium train=fine`, or `every stage at coarse`.
  package static func arm(_ arm: Arm) -> String {
    if let variant = arm.variant { return "arm `\(variant)`" }
    let cheaper = arm.levels.filter { $0.value != .coarse }
    return cheaper.isEmpty ? "every stage at coarse" : Arm(cheaper).key
  }

  package static func text(_ verdict: Verdict, plan: RacePlan, rules: TrialRules) -> String {
    switch verdict {
    case .promote(let shown):
      return promotion(shown, plan: plan, rules: rules)
    case .continue(let outlook):
      return "nothing is shown yet: \(outlook.missing)"
    case .keep(let reason): return "every stage stays at coarse: \(reason)"
    case .unresolvable(let number, let smallest):
      return
        "the data is too small to certify a margin of \(rules.margin.text) for \(arm(plan.arms[number])): the smallest "
        + "that it could is \(rounded(smallest))"
    }
  }

  private static func promotion(_ shown: Promotion, plan: RacePlan, rules: TrialRules) -> String {
    let who = arm(plan.arms[shown.arm])
    let verb = shown.mean > 0 ? "gains" : "loses"
    let loss = "\(verb) \(rounded(abs(shown.mean))) of \(rules.metric) on average of \(shown.blocks) blocks"
    let bound = "a loss of more than \(rules.margin.text) is ruled out with \(percent(plan.confidence)) confidence"
    let words = "\(who) saves \(percent(shown.saving)) of the cost and \(loss); \(bound)"
    if !shown.guardRelaxed { return words }
    return words + "; the rows are too few to say so of data to come, and `relaxed` lets it pass"
  }

  /// With its sign, rounded.
  package static func signed(_ value: Double) -> String { (value > 0 ? "+" : "") + rounded(value) }

  static func percent(_ share: Double) -> String { "\(Int((share * 100).rounded()))%" }

  /// Four significant digits or so: more would not be true.
  static func rounded(_ value: Double) -> String {
    let scaled = (value * 10000).rounded() / 10000
    return "\(scaled == 0 ? 0 : scaled)"
  }
}
