import Core
import Trials

/// Those who may have an opinion on a stage that is `auto`: the arm of a trial, the rules, the policy.
///
/// A stage whose level is fixed asks none of them but the arm, and no arm assigns a level to such a stage.
struct Counsel: Sendable {
  /// The run is an arm of a trial.
  var arm: Arm?
  /// What the rules said of a stage when it was about to begin, by stage.
  var rules: [String: GranularityOpinion] = [:]
  /// What trials or a person have put in force, as it was when the run was taken up.
  var policy: PolicyStanding?

  func opinions(on stage: Stage) -> [GranularityOpinion] {
    guard stage.granularity == .auto else { return [] }
    let arm = arm?.levels[stage.name].map { GranularityOpinion(.arm, $0, reason: "arm of a trial") }
    return [arm, rules[stage.name], policy?.opinion(on: stage.name)].compactMap { $0 }
  }
}
