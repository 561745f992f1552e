import Core

/// What a stage of a flow comes to, once nothing moves any more.
struct FlowVerdict {
  let cancellation: Cancellation
  /// Not every item was seen.
  let isClosed: Bool

  func outcome(of stage: FlowStage) -> StageOutcome {
    let count = stage.tally.count
    if let refusal = stage.tally.refusal {
      return .failure(.failed, refusal, StageError(.configuration, "unstarted"), retry: .never)
    }
    if isClosed {
      switch cancellation.cause {
      case .person: return .failure(.cancelled, "cancelled", retry: .never)
      case .deadline: return .failure(.cancelled, "the time of the run was up", retry: .never)
      case .shutdown, nil: return .failure(.interrupted, "the agent was stopped", retry: .never)
      }
    }
    var reply = StageReply()
    reply.metrics = count.metrics
    reply.data["rows"] = .integer(count.entered)
    guard let complaint = count.complaint(stage.each) else {
      return StageOutcome(state: .ok, reason: nil, retry: .never, reply: reply)
    }
    var outcome = StageOutcome.failure(.failed, complaint, count.error)
    outcome.reply = reply
    return outcome
  }
}
