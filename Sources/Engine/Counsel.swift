import Core
import Trials

/// Those who may have an opinion on a stage that is `auto`: the arm of a trial, the rules, the policy.
///
/// A stage whose level is fixed asks none of them but the arm, and no arm assigns a level to such a stage.
struct Counsel: Sendable {
  /// The run is an arm of a trial.
  var arm: Arm?
  /// The first rule that holds, asked at the moment of the attempt.
  var rule: @Sendable (Stage) -> GranularityOpinion? = { _ in nil }
  /// What trials have shown to be the cheapest that costs no quality.
  var policy: Arm?

  func opinions(on stage: Stage) -> [GranularityOpinion] {
    guard stage.granularity == .auto else { return [] }
    let arm = arm?.levels[stage.name].map { GranularityOpinion(.arm, $0, reason: "arm of a trial") }
    let policy = policy?.levels[stage.name].map { GranularityOpinion(.policy, $0, reason: "policy in force") }
    return [arm, rule(stage), policy].compactMap { $0 }
  }
}
