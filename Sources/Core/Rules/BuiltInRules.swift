/// What the built-in rules call much: `rules:` of the settings.
package struct Thresholds: Sendable, Equatable {
  /// Rows.
  package var volume = 1_000_000
  /// Of one stage, where the pipeline has no `max_latency`.
  package var latency = Duration.seconds(60)
  /// Of what the targets allow, 1 is all of it.
  package var resourceUsage = 1.0
  /// Of 1.
  package var complexity = 0.5
  /// Attempts of a stage that its past is measured by, the latest.
  package var history = 20

  package init() {}
}

/// The published rules, as data.
///
/// ```
/// if data_volume > threshold and latency > target: medium (sampled)
/// elif resource_usage > limit: fine (simplified)
/// elif complexity high and accuracy < target: coarse (full)
/// else: keep
/// ```
package enum BuiltInRules {
  /// - Parameter targets: where `priority` is `accuracy` the rule for quality is asked first, where it is `speed` it is
  ///   left out; without a target for the accuracy there is none.
  package static func rules(_ thresholds: Thresholds, _ targets: Targets?) -> [Rule] {
    let latency = Facts.number(thresholds.latency / .seconds(1))
    let sampled = Rule(
      stage: "*", when: "volume > \(thresholds.volume) AND latency_p95 > coalesce(remaining, \(latency))",
      set: .medium, why: "much data and slow")
    let simplified = Rule(
      stage: "*", when: "resource_usage > \(Facts.number(thresholds.resourceUsage))", set: .fine,
      why: "uses more than its targets allow")
    guard let accuracy = targets?.accuracy, targets?.priority != .speed else { return [sampled, simplified] }
    let full = Rule(
      stage: "*",
      when: "complexity > \(Facts.number(thresholds.complexity)) AND accuracy < \(Facts.number(accuracy))",
      set: .coarse, why: "complex data and accuracy under its target")
    return targets?.priority == .accuracy ? [full, sampled, simplified] : [sampled, simplified, full]
  }
}

extension Facts {
  /// As SQL reads it.
  static func number(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
  }
}
