import Core
import Foundation

/// How long a run will still take, guessed from its stages' past.
struct Forecast {
  /// Typical seconds by stage; a stage without a past is missing.
  var typical: [String: Double]

  /// The median of what the attempts took.
  static func typical(_ attempts: [Attempt]) -> Double? {
    let times = attempts.compactMap(\.usage?.wall).sorted()
    return times.isEmpty ? nil : times[times.count / 2]
  }

  /// Seconds left; `nil` where a stage that is still to come has no past.
  /// - Parameters:
  ///   - current: the stages that run now, with the seconds they have run.
  func remaining(stages: [String], finished: Set<String>, current: [String: Double]) -> Double? {
    var left = 0.0
    for stage in stages where !finished.contains(stage) {
      guard let typical = typical[stage] else { return nil }
      left += max(0, typical - (current[stage] ?? 0))
    }
    return left
  }

  /// Takes what the items of stages at work say for better than the past; stages that flow together end together.
  mutating func take(_ items: [ItemProgress], current: [String: Double]) {
    let left = items.map { ($0.stage, $0.remaining(after: current[$0.stage] ?? 0)) }
    guard let last = left.compactMap(\.1).max() else { return }
    for (place, (stage, _)) in left.enumerated() {
      typical[stage] = (current[stage] ?? 0) + (place == left.count - 1 ? last : 0)
    }
  }
}
