import Foundation

/// What rules know of a stage at the moment it is to begin; `nil` is unknown, NULL in a condition.
package struct Facts: Sendable, Equatable {
  /// Rows of what the stage is given: what the nearest stage before it said as `data.rows`.
  package var volume: Int?
  /// Of the data, 0 to 1: what the nearest stage before it said as `data.complexity`.
  package var complexity: Double?
  package var past = StagePast()
  /// CPU and memory of the past against `targets.cpu` and `targets.memory`, the larger ratio; 1 is all that is allowed.
  package var resourceUsage: Double?
  /// Seconds since the run was claimed.
  package var elapsed: Double?
  /// Seconds until `targets.max_latency` is over; negative when it is.
  package var remaining: Double?
  /// The metric of the pipeline's latest done run that has it.
  package var accuracy: Double?
  package var priority: Targets.Priority?

  package init() {}

  package static let columns = [
    "volume", "complexity", "latency_p50", "latency_p95", "resource_usage", "cpu", "memory", "elapsed", "remaining",
    "accuracy", "priority",
  ]

  /// Columns that earlier attempts of the stage must be read for.
  package static let ofThePast: Set = ["latency_p50", "latency_p95", "resource_usage", "cpu", "memory"]

  /// In the order of `columns`.
  package var values: [JSON] {
    func number(_ value: Double?) -> JSON { value.map { .number($0) } ?? .null }
    func whole(_ value: Int?) -> JSON { value.map { .integer($0) } ?? .null }
    return [
      whole(volume), number(complexity), number(past.latencyP50), number(past.latencyP95), number(resourceUsage),
      number(past.cpu), whole(past.memory), number(elapsed), number(remaining), number(accuracy),
      priority.map { .string($0.rawValue) } ?? .null,
    ]
  }

  /// Sets what follows from the past and the targets.
  package mutating func measure(against targets: Targets?, elapsed: Double?) {
    self.elapsed = elapsed
    priority = targets?.priority
    let ratios = [
      past.cpu.flatMap { used in targets?.cpu.flatMap { $0 > 0 ? used / $0 : nil } },
      past.memory.flatMap { used in targets?.memory.flatMap { $0 > 0 ? Double(used) / Double($0) : nil } },
    ]
    resourceUsage = ratios.compactMap { $0 }.max()
    guard let limit = targets?.maxLatency, let elapsed else { return }
    remaining = limit / .seconds(1) - elapsed
  }
}
