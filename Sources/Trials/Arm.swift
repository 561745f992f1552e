package import Core

/// One assignment of granularities to stages: what a trial compares, and what a policy puts in force.
package struct Arm: Sendable, Equatable, Hashable, Codable {
  /// Level by stage name; only stages that are `auto`.
  package var levels: [String: Granularity]
  /// The name of an arm given by hand (`trials.arms:`), whose parameters stand in the pipeline; `nil` is the control's.
  package var variant: String?

  package init(_ levels: [String: Granularity], variant: String? = nil) {
    self.levels = levels
    self.variant = variant
  }

  /// Every stage at `coarse`: what all others are compared with.
  package static func control(of stages: [String]) -> Arm {
    Arm(Dictionary(stages.map { ($0, .coarse) }) { first, _ in first })
  }

  /// Every assignment of supported levels, the control first; at most 4^k for k stages.
  ///
  /// The order is fixed: stages as given, levels from `coarse` to `off`, the last stage changing fastest.
  package static func all(of stages: [(name: String, supported: Set<Granularity>)]) -> [Arm] {
    stages.reduce([Arm([:])]) { arms, stage in
      let levels = Granularity.allCases.filter { stage.supported.contains($0) }
      return arms.flatMap { arm in
        levels.map { level in
          var levels = arm.levels
          levels[stage.name] = level
          return Arm(levels)
        }
      }
    }
  }

  /// `clean=medium train=fine`, in the order of names: the same arm always has the same key.
  package var key: String {
    let words = levels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.rawValue)" }
    return (words + (variant.map { [$0] } ?? [])).joined(separator: " ")
  }
}
