import Core
import Engine
import Foundation
import Trials

/// Trials as `--json` tells them.
enum TrialJSON {
  static func summary(_ trial: Trial) -> JSON {
    [
      "id": .string(trial.id.text), "number": .integer(trial.number), "pipeline": .string(trial.pipeline),
      "state": .string(trial.state.rawValue), "origin": .string(trial.origin.rawValue),
      "metric": .string(trial.rules.metric), "stage": .string(trial.stage),
      "margin": figure(trial.rules.margin.value), "margin_unit": .string(unit(trial.rules.margin)),
      "confidence": figure(trial.rules.confidence), "data": .string(trial.data.drop.name.displayed),
      "created": .string(Timestamp.text(trial.created)),
      "ended": trial.ended.map { .string(Timestamp.text($0)) } ?? .null, "verdict": verdict(of: trial),
      "reason": trial.reason.map { .string($0) } ?? .null,
    ]
  }

  /// Of a margin: `metric`, the metric's own unit, or `share` of what the control reaches.
  private static func unit(_ margin: TrialRules.Margin) -> String {
    if case .share = margin { return "share" }
    return "metric"
  }

  /// The latest verdict with its numbers, flat; null before the first.
  ///
  /// What is recorded is the form of the module of trials, which replays it.
  private static func verdict(of trial: Trial) -> JSON {
    guard let stored = trial.verdict, let plan = try? trial.plan.decoded(as: RacePlan.self),
      let verdict = try? stored.decoded(as: Verdict.self)
    else { return .null }
    func arm(_ number: Int) -> JSON { plan.arms.indices.contains(number) ? .string(plan.arms[number].key) : .null }
    let reason = JSON.string(TrialWords.text(verdict, plan: plan, rules: trial.rules))
    switch verdict {
    case .promote(let shown):
      return [
        "verdict": "promote", "reason": reason, "arm": arm(shown.arm), "blocks": .integer(shown.blocks),
        "e": figure(shown.e), "threshold": figure(shown.threshold), "mean": figure(shown.mean),
        "low": figure(shown.interval.low), "high": figure(shown.interval.high), "saving": figure(shown.saving),
        "guard_relaxed": .bool(shown.guardRelaxed),
      ]
    case .continue(let outlook):
      return [
        "verdict": "continue", "reason": reason, "missing": .string(outlook.missing), "blocks": figure(outlook.blocks),
        "cost_s": figure(outlook.cost),
      ]
    case .keep(let why): return ["verdict": "keep", "reason": reason, "missing": .string(why)]
    case .unresolvable(let number, let smallest):
      return ["verdict": "unresolvable", "reason": reason, "arm": arm(number), "smallest_margin": figure(smallest)]
    }
  }

  /// A number as far as it means something, twelve digits; null where there is none.
  static func figure(_ value: Double?) -> JSON {
    guard let value, value.isFinite else { return .null }
    return .number(Double(String(format: "%.12g", value)) ?? value)
  }
}
