import Core
import Foundation

/// One stage of a flow and where its attempt stands.
struct FlowPart {
  let stage: Stage
  var prepared: StageExecutor.Prepared
  /// Its program is called for items.
  var isWorked: Bool

  func flowStage(
    place: Int, with stages: StageExecutor, gate: FlowGate
  ) throws -> Result<FlowStage, HostError> {
    guard let each = stage.each else { return .failure(HostError("stage `\(stage.name)` has no `each`")) }
    guard isWorked else { return .success(FlowStage(stage, each, place: place, sample: nil, caller: nil)) }
    return try stages.itemProgram(for: stage, each, prepared, gate: gate).map { caller in
      FlowStage(stage, each, place: place, sample: prepared.part.sample, caller: caller)
    }
  }
}

extension [FlowPart] {
  /// None of them was given anything.
  mutating func leave(_ flowing: Range<Int>, because reason: String) {
    for place in flowing where self[place].isWorked {
      self[place].prepared.ended.outcome = .failure(.interrupted, reason, retry: .never)
      self[place].prepared.ended.isUnbegun = true
    }
  }

  /// The items could not be read: the first stage failed for it.
  mutating func spoil(_ flowing: Range<Int>, _ outcome: StageOutcome) {
    if let first = flowing.first(where: { self[$0].isWorked }) { self[first].prepared.ended.outcome = outcome }
  }
}

extension StageExecutor.Ended {
  /// A stage that called for none of its items: all had come through in the run this one repeats.
  mutating func markTaken(_ count: FlowTally.Count, from earlier: Run, _ options: RunOptions) {
    guard outcome.state == .ok, count.entered > 0, count.kept == count.entered else { return }
    outcome.state = .cached
    outcome.reason = "from run \(earlier.number), \(options.askedWith)"
    attempt.reuse = Reuse(source: earlier.id)
  }

  mutating func take(_ count: FlowTally.Count, since start: Date, _ now: Date) {
    attempt.usage = ResourceUsage(
      wall: max(0, now.timeIntervalSince(start)), cpu: count.cpu, peakRSS: count.peakRSS)
  }
}
