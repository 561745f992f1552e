import Core
import Foundation
import Store

/// Works consecutive `each` stages as one: their items flow through all of them without a barrier, and every stage
/// has its own attempt, hooks, verdict and outputs.
struct FlowExecutor: Sendable {
  let stages: StageExecutor

  private var bench: Workbench { stages.bench }
  private var run: Run { stages.run }

  /// The stages that flow with `first`: each takes the items of the one before, which nothing else keeps from it.
  static func chain(from first: Stage, in pipeline: Pipeline, settled: Set<String>) -> [Stage] {
    guard first.each != nil else { return [] }
    var chain = [first]
    while let last = chain.last,
      let next = pipeline.stages.first(where: { stage in
        stage.each != nil && stage.each?.from == nil && !stage.isHeldBack && !settled.contains(stage.name)
          && stage.needs.contains(last.name)
          && stage.needs.allSatisfy { need in settled.contains(need) || chain.contains { $0.name == need } }
      })
    {
      chain.append(next)
    }
    return chain
  }

  /// - Parameter opened: the attempts, all recorded as running.
  /// - Returns: what each attempt comes to. After one that did not come through, those after it are `interrupted`: what
  ///   is done of their items is kept.
  func execute(_ opened: [(stage: Stage, attempt: Attempt)], in session: RunSession) async throws -> [StageExecutor
    .Ended]
  {
    var plan: [FlowPart] = []
    for (stage, attempt) in opened {
      var prepared = try await stages.prepare(attempt, of: stage, in: session)
      let isWorked = stages.decide(&prepared, stage, in: session)
      plan.append(FlowPart(stage: stage, prepared: prepared, isWorked: isWorked))
      // what comes after it gets no items
      if !isWorked, prepared.ended.outcome.state != .skipped { break }
    }
    try await bench.recording?.given()
    let stop = plan.contains { !$0.isWorked && $0.prepared.ended.outcome.state != .skipped }
    let flowing = stop ? plan.dropLast() : plan[...]
    if flowing.contains(where: \.isWorked) { try await work(&plan, flowing.indices, in: session) }
    var results: [StageExecutor.Ended] = []
    var broken: String?
    for part in plan {
      var part = part
      if let broken, part.isWorked || part.prepared.ended.outcome.state == .skipped {
        part.prepared.ended.outcome = .failure(
          .interrupted, "stage `\(broken)` before it did not come through; what is done is kept", retry: .never)
        part.prepared.ended.isUnbegun = true
      }
      let ended = try await stages.conclude(part.prepared)
      if !ended.outcome.state.isGood, ended.outcome.state != .interrupted { broken = broken ?? part.stage.name }
      results.append(ended)
    }
    for (stage, attempt) in opened.dropFirst(plan.count) {
      results.append(
        unbegun(stage, attempt, after: broken ?? plan.last?.stage.name ?? "", context: session.context.seen(by: stage)))
    }
    return results
  }

  private func unbegun(_ stage: Stage, _ attempt: Attempt, after broken: String, context: JSON) -> StageExecutor.Ended {
    var attempt = attempt
    attempt.state = .interrupted
    attempt.reason = "stage `\(broken)` before it did not come through"
    attempt.ended = bench.now()
    var ended = StageExecutor.Ended(
      attempt: attempt, outcome: .failure(.interrupted, attempt.reason ?? "", retry: .never), context: context)
    ended.isUnbegun = true
    return ended
  }

  /// Takes the items through, and says of each part what became of it.
  private func work(_ plan: inout [FlowPart], _ flowing: Range<Int>, in session: RunSession) async throws {
    let gate = FlowGate()
    var line: [FlowStage] = []
    for place in flowing {
      switch try plan[place].flowStage(place: place, with: stages, gate: gate) {
      case .success(let stage): line.append(stage)
      case .failure(let refusal):
        plan.leave(flowing, because: "stage `\(plan[place].stage.name)`, with which it flows, cannot begin")
        plan[place].prepared.ended.outcome = .failure(.failed, refusal.description, retry: .never)
        plan[place].prepared.ended.isUnbegun = false
        return
      }
    }
    if let complaint = stages.complaint(of: plan.flatMap(\.prepared.inputs)) {
      plan.spoil(flowing, .failure(.failed, complaint, retry: .never))
      return
    }
    let worked = line.filter { !$0.isBypassed }.map(\.name)
    var earlier: Run?
    do {
      var feed = ItemFeed(bench: bench, run: run, source: try FlowSource(session: session).source(of: plan[0].stage))
      earlier = try await takeOver(worked, taken: session.taken)
      feed.hasHistory = try await hasHistory(of: worked, isTakenOver: earlier != nil)
      let total = try await feed.survey(line.first { !$0.isBypassed }?.sample ?? ItemSample(nil))
      // what is kept must be counted before; where nothing is, the first calls need not wait
      let isNew = !feed.hasHistory
      if !isNew { try await bench.store.openItems(of: run.id, stages: worked, total: total) }
      let flow = FlowLine(
        bench: bench, run: run, stages: line, gate: gate, cancellation: stages.cancellation,
        onFailure: { [bench, run, attempts = plan.map(\.prepared.part.attempt)] stage, outcome in
          bench.say(
            .itemFailed(id: outcome.id, tries: outcome.tries, reason: outcome.reason ?? ""), run, stage: stage.name,
            attempt: attempts[stage.place])
        })
      try await flow.run(
        opening: { [bench, run] in
          if isNew { try await bench.store.openItems(of: run.id, stages: worked, total: total) }
        }, { [feed] in try await feed.give(to: $0) })
      let totals = Dictionary(line.filter { !$0.isBypassed }.map { ($0.name, $0.tally.count.entered) }) { $1 }
      if !gate.isClosed, totals.values.contains(where: { $0 != total }) {
        try await bench.store.setTotal(totals, of: run.id)
      }
    } catch let error as BadItem {
      plan.spoil(flowing, .failure(.failed, error.description, StageError(.data, "no-item"), retry: .never))
      return
    } catch let error as HostError where !error.isShortage {
      plan.spoil(flowing, .failure(.failed, error.description))
      return
    }
    // the agent is coming down: what is left unrecorded is taken up as interrupted by the next one
    try Task.checkCancellation()
    let verdict = FlowVerdict(cancellation: stages.cancellation, isClosed: gate.isClosed)
    if let refused = line.first(where: { $0.tally.refusal != nil }) {
      plan.leave(flowing, because: "stage `\(refused.name)`, with which it flows, cannot begin")
      plan[refused.place].prepared.ended.outcome = verdict.outcome(of: refused)
      plan[refused.place].prepared.ended.isUnbegun = false
      return
    }
    let files = FlowOutputs(bench: bench, run: run)
    for (place, stage) in zip(flowing, line) where !stage.isBypassed {
      plan[place].prepared.ended.take(stage.tally.count, since: plan[place].prepared.ended.attempt.started, bench.now())
      plan[place].prepared.ended.outcome = verdict.outcome(of: stage)
      if let earlier { plan[place].prepared.ended.markTaken(stage.tally.count, from: earlier, run.options) }
    }
    if gate.isClosed { return }
    // side by side, for each waits for the disk
    try await withThrowingTaskGroup(of: (Int, StageExecutor.Ended).self) { group in
      for (place, stage) in zip(flowing, line) where !stage.isBypassed {
        let prepared = plan[place].prepared
        group.addTask {
          var ended = prepared.ended
          try await files.publish(stage, attempt: prepared.part.attempt, &ended)
          return (place, ended)
        }
      }
      for try await (place, ended) in group { plan[place].prepared.ended = ended }
    }
  }

  private func hasHistory(of worked: [String], isTakenOver: Bool) async throws -> Bool {
    if isTakenOver { return true }
    let known = try await bench.store.reader.itemProgress(of: run.id)
    return worked.contains { known[$0] != nil }
  }

  /// Gives this run the items of the run it repeats, as far as they came through: all where only what failed is asked
  /// for, else those of the stages before the one it begins with.
  /// - Returns: that run, where anything of it is known.
  private func takeOver(_ worked: [String], taken: Set<String>) async throws -> Run? {
    guard run.options.takesFromEarlier, let earlier = run.rerunOf else { return nil }
    let asked = worked.filter { run.options.failedOnly || taken.contains($0) }
    let known = try await bench.store.reader.itemProgress(of: earlier)
    let found = asked.filter { known[$0] != nil }
    if found.isEmpty { return nil }
    try await bench.store.takeOverItems(of: found, from: earlier, to: run.id)
    return try await bench.store.reader.run(matching: .id(earlier))
  }
}

extension Stage {
  /// Whether it may have to wait when the stages it needs have ended: then it begins a flow of its own.
  fileprivate var isHeldBack: Bool { when != nil || breaker != nil || concurrency != nil }
}
