import Core
import Foundation
import Store

/// Takes items through the stages of a flow: lanes take them from a queue, call, record, and hand them on at once.
struct FlowLine: Sendable {
  /// An item on its way, and the stage it goes to.
  struct Passenger: Sendable {
    var item: Item
    var place: Int
    /// What its calls in this segment took so far.
    var spent = Duration.zero
  }

  let bench: Workbench
  let run: Run
  let stages: [FlowStage]
  let segments: [FlowSegment]
  let queues: [FlowQueue<Passenger>]
  let gate: FlowGate
  let ledger: ItemLedger
  /// Of the run: nothing new begins once it says to stop at a boundary.
  let cancellation: Cancellation
  /// Said of an item that failed for good.
  let onFailure: @Sendable (FlowStage, ItemOutcome) -> Void

  init(
    bench: Workbench, run: Run, stages: [FlowStage], gate: FlowGate, cancellation: Cancellation,
    onFailure: @escaping @Sendable (FlowStage, ItemOutcome) -> Void
  ) {
    self.bench = bench
    self.run = run
    self.stages = stages
    let segments = FlowSegment.of(stages.map(\.each))
    self.segments = segments
    queues = segments.enumerated().map { FlowQueue(bound: $1.bound, window: $1.window, producers: $0 == 0 ? 1 : 2) }
    self.gate = gate
    ledger = ItemLedger(bench: bench, run: run.id)
    self.cancellation = cancellation
    self.onFailure = onFailure
  }

  /// Returns when every item went as far as it comes, or the gate was closed and what was under way has ended.
  /// - Parameters:
  ///   - opening: comes before anything is recorded.
  ///   - feed: gives the items.
  /// - Throws: what the store, the runner or the source throws.
  func run(
    opening: @escaping @Sendable () async throws -> Void = {},
    _ feed: @escaping @Sendable (FlowLine) async throws -> Void
  ) async throws {
    let tokens = queues.map { queue in gate.closing.listen { _ in queue.close() } }
    let wish = cancellation.listen { [gate] in gate.end($0) }
    defer {
      tokens.forEach(gate.closing.forget)
      cancellation.forget(wish)
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await closingOnError { try await ledger.write(after: opening) } }
      group.addTask {
        defer { ledger.finish() }
        try await closingOnError { try await move(feed) }
      }
      try await group.waitForAll()
    }
  }

  private func closingOnError(_ body: () async throws -> Void) async throws {
    do { try await body() } catch {
      gate.end(.shutdown)
      throw error
    }
  }

  private func move(_ feed: @escaping @Sendable (FlowLine) async throws -> Void) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        defer { for queue in queues { queue.finish() } }
        try await closingOnError { try await feed(self) }
      }
      for number in segments.indices {
        group.addTask {
          defer { if number + 1 < queues.count { queues[number + 1].finish() } }
          try await closingOnError { try await work(segments[number], from: queues[number]) }
        }
      }
      try await group.waitForAll()
    }
  }

  private func work(_ segment: FlowSegment, from queue: FlowQueue<Passenger>) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for lane in 0..<segment.lanes {
        group.addTask {
          try await closingOnError {
            while let passengers = await queue.take(segment.batch) {
              try await FlowLane(line: self, segment: segment, queue: queue, number: lane).carry(passengers)
            }
          }
        }
      }
      try await group.waitForAll()
    }
  }

  /// Hands an item to the stage at a place; false where the flow was closed.
  func offer(_ item: Item, at place: Int) async -> Bool {
    guard let number = segments.firstIndex(where: { $0.stages.contains(place) }) else { return true }
    return await queues[number].offer(Passenger(item: item, place: place))
  }

  /// Whether nothing new may begin; closes the gate where the run is to stop at a boundary.
  var isClosing: Bool {
    if cancellation.stopsAtBoundary { gate.close() }
    return gate.isClosed
  }
}
