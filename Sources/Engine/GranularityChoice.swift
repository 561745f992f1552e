import Core

/// The granularity of one attempt and the opinions it came from.
struct GranularityChoice: Sendable, Equatable {
  var opinion: GranularityOpinion
  /// With `medium` only.
  var sample: Double?

  /// Decides by the order of authority: arm, override, hook, fixed, rule, policy, coarse.
  /// - Parameters:
  ///   - hook: what a before-hook asked for.
  ///   - counsel: the arm, the rules and the policy, where they have a word.
  init(for stage: Stage, options: RunOptions, hook: GranularityOpinion?, counsel: Counsel) {
    var opinions = counsel.opinions(on: stage)
    if let level = options.granularity[stage.name] {
      opinions.append(GranularityOpinion(.override, level, reason: "asked for with --granularity"))
    }
    if let hook { opinions.append(hook) }
    if case .fixed(let level, let said) = stage.granularity {
      let reason = said ? "fixed in the pipeline" : "the pipeline names no level"
      opinions.append(GranularityOpinion(.fixed, level, reason: reason))
    }
    opinion = GranularityOpinion.deciding(among: opinions)
    sample = opinion.level == .medium ? stage.sample : nil
  }

  /// An arm's word, which is above all others.
  init(arm level: Granularity, of stage: Stage) {
    opinion = GranularityOpinion(.arm, level, reason: "arm of a trial")
    sample = level == .medium ? stage.sample : nil
  }

  /// The parameters of the stage at this level.
  func params(of stage: Stage, fallback: Bool) -> [String: JSON] {
    var params = JSON.object(stage.params)
    if let extra = stage.levelParams[opinion.level] { params = params.merging(.object(extra)) }
    if fallback, let extra = stage.fallback { params = params.merging(.object(extra)) }
    return params.object ?? [:]
  }
}
