import Foundation

/// What a stage took in its last attempts; `nil` where it never ended well.
package struct StagePast: Sendable, Equatable {
  /// Seconds, half of the attempts took at most that.
  package var latencyP50: Double?
  /// Seconds, 19 of 20 attempts took at most that.
  package var latencyP95: Double?
  /// Processors that were at work on average, 1.5 is 150 %; 19 of 20 attempts used at most that.
  package var cpu: Double?
  /// Bytes of the largest process; 19 of 20 attempts had at most that.
  package var memory: Int?

  package init() {}

  /// - Parameter attempts: those that ended well, in any order.
  package init(_ attempts: [Attempt]) {
    let latencies = attempts.compactMap(Self.latency)
    latencyP50 = Self.percentile(50, of: latencies)
    latencyP95 = Self.percentile(95, of: latencies)
    cpu = Self.percentile(95, of: attempts.compactMap(Self.processors))
    memory = Self.percentile(95, of: attempts.compactMap { $0.usage?.peakRSS })
  }

  /// The nearest rank: the smallest value that `percent` of all do not exceed.
  package static func percentile<Value: Comparable>(_ percent: Int, of values: [Value]) -> Value? {
    if values.isEmpty { return nil }
    let rank = (values.count * percent + 99) / 100
    return values.sorted()[max(1, rank) - 1]
  }

  /// Calls of an `each` stage overlap: together they take no longer than their attempt.
  private static func latency(_ attempt: Attempt) -> Double? {
    guard let wall = attempt.usage?.wall else { return nil }
    guard let ended = attempt.ended else { return wall }
    let span = ended.timeIntervalSince(attempt.started)
    return wall > span + 0.01 ? span : wall
  }

  /// What takes a moment says nothing: the kernel counts its time in ticks.
  private static func processors(_ attempt: Attempt) -> Double? {
    guard let usage = attempt.usage, let wall = latency(attempt), wall >= 0.05 else { return nil }
    return usage.cpu / wall
  }
}
