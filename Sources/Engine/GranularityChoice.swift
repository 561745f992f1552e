package import Core

/// The granularity of one attempt and the opinions it came from.
package struct GranularityChoice: Sendable, Equatable {
  package var opinion: GranularityOpinion
  /// With `medium` only.
  package var sample: Double?

  /// Decides by the order of authority: arm, override, hook, fixed, rule, policy, coarse.
  /// - Parameters:
  ///   - hook: what a before-hook asked for.
  ///   - others: the words of the arm, the rules and the policy, where they have any.
  package init(
    for stage: Stage, options: RunOptions, hook: GranularityOpinion?, others: [GranularityOpinion] = []
  ) {
    var opinions = others
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

  /// The parameters of the stage at this level.
  package func params(of stage: Stage, fallback: Bool) -> [String: JSON] {
    var params = JSON.object(stage.params)
    if let extra = stage.levelParams[opinion.level] { params = params.merging(.object(extra)) }
    if fallback, let extra = stage.fallback { params = params.merging(.object(extra)) }
    return params.object ?? [:]
  }
}
