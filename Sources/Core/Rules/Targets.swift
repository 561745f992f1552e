import Foundation

/// What a pipeline should keep to: `targets:` of the YAML.
package struct Targets: Sendable, Equatable, Codable {
  /// From the claim to the end of the run.
  package var maxLatency: Duration?
  /// Processors a stage may use on average, 1.5 is 150 %.
  package var cpu: Double?
  /// Bytes of the largest program.
  package var memory: Int?
  /// The metric the pipeline should reach.
  package var accuracy: Double?
  package var priority: Priority?

  /// What comes first where quality and time are at odds.
  package enum Priority: String, Sendable, Codable, CaseIterable {
    case accuracy
    case speed
  }

  package init(
    maxLatency: Duration? = nil, cpu: Double? = nil, memory: Int? = nil, accuracy: Double? = nil,
    priority: Priority? = nil
  ) {
    self.maxLatency = maxLatency
    self.cpu = cpu
    self.memory = memory
    self.accuracy = accuracy
    self.priority = priority
  }

  /// In what a run went over its targets, a sentence each.
  /// - Parameters:
  ///   - attempts: all of the run.
  ///   - metric: the name of the metric `accuracy` is about.
  package func misses(of run: Run, _ attempts: [Attempt], metric: String) -> [String] {
    var words: [String] = []
    if let maxLatency, let ended = run.ended {
      let took = Duration.seconds(ended.timeIntervalSince(run.created))
      if took > maxLatency {
        words.append("took \(Quantity.text(took)), `max_latency` is \(Quantity.text(maxLatency))")
      }
    }
    for attempt in attempts where attempt.state == .ok {
      let past = StagePast([attempt])
      if let cpu, let used = past.cpu, used > cpu {
        words.append(
          "`\(attempt.stage)` used \(Quantity.text(percent: used)) CPU, `cpu` is \(Quantity.text(percent: cpu))")
      }
      if let memory, let used = past.memory, used > memory {
        words.append(
          "`\(attempt.stage)` used \(Quantity.text(bytes: used)), `memory` is \(Quantity.text(bytes: memory))")
      }
    }
    if let accuracy, let reached = attempts.last(where: { $0.metrics[metric]?.double != nil })?.metrics[metric]?.double,
      reached < accuracy
    {
      words.append("`\(metric)` is \(Facts.text(reached)), under the target \(Facts.text(accuracy))")
    }
    return words
  }
}

extension Pipeline {
  /// The name of the metric that `accuracy` of targets and rules is: that of the trials, else `accuracy`.
  package var metric: String { (trials ?? TrialRules()).metric }
}
