import Core

/// What a stage of a flow comes to, once nothing moves any more.
struct FlowVerdict {
  let cancellation: Cancellation
  /// Not every item was seen.
  let isClosed: Bool

  func outcome(of stage: FlowStage) -> StageOutcome {
    let count = stage.tally.count
    if let refusal = stage.tally.refusal { return .failure(.failed, refusal, retry: .never) }
    if isClosed {
      switch cancellation.cause {
      case .person, .deadline: return .failure(.cancelled, "cancelled", retry: .never)
      case .shutdown, nil: return .failure(.interrupted, "the agent was stopped", retry: .never)
      }
    }
    var reply = StageReply()
    reply.metrics = count.metrics
    reply.data["rows"] = .integer(count.entered)
    guard let complaint = count.complaint(stage.each) else {
      return StageOutcome(state: .ok, reason: nil, retry: .never, reply: reply)
    }
    var outcome = StageOutcome.failure(.failed, complaint)
    outcome.reply = reply
    return outcome
  }
}
