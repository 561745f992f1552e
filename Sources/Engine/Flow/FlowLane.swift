import Core
import Foundation
import Store

/// Takes items through one stage, and hands on those that came through.
struct FlowLane: Sendable {
  let line: FlowLine
  let segment: FlowSegment
  let queue: FlowQueue<FlowLine.Passenger>
  let number: Int

  func carry(_ passengers: [FlowLine.Passenger]) async throws {
    guard var place = passengers.first?.place else { return }
    var inside = passengers.count
    defer { queue.leave(inside) }
    let stage = line.stages[place]
    var spent = passengers.map(\.spent).max() ?? .zero
    let items = try await through(
      stage, passengers.map(\.item).filter { stage.isBypassed || stage.sample.takes($0.id) }, &spent)
    place += 1
    for item in items {
      if segment.stages.contains(place) {
        queue.pass(
          FlowLine.Passenger(item: item, place: place, spent: spent), stage: place - segment.stages.lowerBound,
          spent: spent)
        inside -= 1
      } else if place < line.stages.count {
        guard await line.offer(item, at: place) else { return }
      }
    }
  }

  /// The items that came through the stage, as the next one gets them.
  private func through(_ stage: FlowStage, _ items: [Item], _ spent: inout Duration) async throws -> [Item] {
    guard let caller = stage.caller, !items.isEmpty else { return items }
    stage.tally.enter(items.count)
    var passed: [Item] = []
    var pending = items
    var tries = 0
    while !pending.isEmpty {
      await line.ledger.admit()
      if let pace = stage.pacing, await !line.gate.sleep(for: pace.take(), on: line.bench.clock) { return [] }
      if line.isClosing { return [] }
      tries += 1
      let answer = try await caller.call(pending, lane: number)
      stage.tally.use(answer.usage)
      spent += .seconds(answer.usage.wall)
      if let refusal = answer.refusal {
        stage.tally.refuse(refusal)
        line.gate.close()
        return []
      }
      var again: [Item] = []
      var wait = Duration.zero
      for (item, outcome) in zip(pending, answer.outcomes) {
        switch settle(outcome, of: item, stage, tries: tries) {
        case .passed(let next): passed.append(next)
        case .failed, .unsettled: break
        case .again(let pause):
          again.append(item)
          wait = max(wait, pause)
        }
      }
      pending = again
      if !again.isEmpty, await !line.gate.sleep(for: wait, on: line.bench.clock) { return [] }
    }
    return passed
  }

  private enum Fate {
    case passed(Item)
    case failed
    case again(after: Duration)
    /// Ended from outside: it is as if it had not been called.
    case unsettled
  }

  private func settle(_ outcome: StageOutcome, of item: Item, _ stage: FlowStage, tries: Int) -> Fate {
    var recorded = ItemOutcome(
      stage: stage.name, index: item.index, id: item.id, state: .failed, tries: tries, reason: outcome.reason,
      digest: item.digest)
    switch outcome.state {
    case .ok:
      recorded.state = .ok
      recorded.reason = nil
      recorded.data = outcome.nextItem ?? item.data
    case .skipped:
      recorded.state = .skipped
      recorded.data = item.data
    case .cancelled, .interrupted: return .unsettled
    default:
      var chance = line.bench.random()
      if case .tryAgain(let wait) = outcome.next(
        for: stage.asTried, tries: tries, usedFallback: false, using: &chance)
      {
        return .again(after: wait)
      }
    }
    line.ledger.add(recorded)
    let isShown = stage.tally.take(recorded, metrics: outcome.reply.metrics, error: outcome.error)
    if isShown { line.onFailure(stage, recorded) }
    return recorded.next.map { .passed($0) } ?? .failed
  }
}

extension FlowStage {
  /// As it is tried for one item.
  fileprivate var asTried: Stage {
    var stage = stage
    stage.retry = each.retry
    stage.fallback = nil
    stage.onError = .fail
    return stage
  }
}

extension StageOutcome {
  /// What the reply makes of the item; `nil` where it says nothing.
  fileprivate var nextItem: String? { reply.data.isEmpty ? nil : try? JSON.object(reply.data).line() }
}
