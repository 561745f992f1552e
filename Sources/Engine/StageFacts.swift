import Core

/// What the stages of a run have said of themselves so far, as conditions see it.
struct StageFacts: Sendable {
  private var metrics: [String: JSON] = [:]
  private var data: [String: JSON] = [:]
  private var states: [String: JSON] = [:]

  /// The latest attempt of a stage stands.
  mutating func take(_ attempt: Attempt) {
    if attempt.state == .running { return }
    // where an outcome comes from must not decide what a run does
    let state = attempt.state == .cached ? .ok : attempt.state
    states[attempt.stage] = .string(state.rawValue)
    metrics[attempt.stage] = .object(attempt.metrics)
    data[attempt.stage] = .object(attempt.data)
  }

  /// A number that stages said of their data: of the nearest before `stage` that did, the largest where several are.
  func nearest(_ key: String, above stage: Stage, in stages: [Stage]) -> Double? {
    let found = stage.needs.compactMap { name in
      data[name]?[key]?.double
        ?? stages.first { $0.name == name }.flatMap { nearest(key, above: $0, in: stages) }
    }
    return found.max()
  }

  /// The row a condition is evaluated on; see `Condition.columns`.
  func row(of run: Run, context: JSON) -> Condition.Row {
    Condition.Row(
      run: run, context: context, metrics: .object(metrics), data: .object(data), states: .object(states))
  }
}
