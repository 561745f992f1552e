import Core
import Foundation
import Store
import Synchronization

/// Records what becomes of items, in groups: whoever made it goes on meanwhile.
final class ItemLedger: Sendable {
  /// How long an outcome waits for others to share its transaction.
  private static let pace = Duration.milliseconds(16)
  /// Outcomes that are written without waiting.
  private static let group = 500
  /// Outcomes that may wait to be durable; more make their makers wait.
  private static let most = 4000

  private struct State {
    var gathered: [ItemOutcome] = []
    /// Given to the store and not yet durable.
    var underWay = 0
    var isFinished = false
    var waiters: [CheckedContinuation<Void, Never>] = []
  }

  private let bench: Workbench
  private let run: RunID
  private let state = Mutex(State())
  private let bell = Bell()

  init(bench: Workbench, run: RunID) {
    self.bench = bench
    self.run = run
  }

  /// Takes an outcome; it will be durable some milliseconds later.
  func add(_ outcome: ItemOutcome) {
    let mustRing = state.withLock { state in
      state.gathered.append(outcome)
      return state.gathered.count == 1 || state.gathered.count == Self.group
    }
    if mustRing { bell.ring() }
  }

  /// Returns when there is not too much that is not durable yet.
  func admit() async {
    await withCheckedContinuation { continuation in
      let mayPass = state.withLock { state in
        if state.isFinished || state.gathered.count + state.underWay < Self.most { return true }
        state.waiters.append(continuation)
        return false
      }
      if mayPass { continuation.resume() }
    }
  }

  /// Nothing more comes.
  func finish() {
    state.withLock { $0.isFinished = true }
    bell.ring()
  }

  /// Writes until all is written after `finish`.
  /// - Parameter opening: done before, while the first calls are made.
  /// - Throws: what the store throws: then nothing can be recorded any more.
  func write(after opening: () async throws -> Void) async throws {
    defer { release(finishing: true) }
    try await opening()
    while true {
      await bell.wait(atMost: nil, on: bench.clock)
      let (count, isFinished) = state.withLock { ($0.gathered.count, $0.isFinished) }
      if count < Self.group, !isFinished { await bell.wait(atMost: Self.pace, on: bench.clock) }
      let group = state.withLock { state in
        state.underWay = state.gathered.count
        defer { state.gathered = [] }
        return state.gathered
      }
      if !group.isEmpty { try await bench.store.record(group, of: run, at: bench.now()) }
      release(finishing: false)
      let isEnd = state.withLock { $0.isFinished ? $0.gathered.isEmpty : nil }
      if isEnd == true { return }
      if isEnd == nil { try Task.checkCancellation() }
      if state.withLock({ !$0.gathered.isEmpty }) { bell.ring() }
    }
  }

  private func release(finishing: Bool) {
    let waiters = state.withLock { state in
      state.underWay = 0
      if finishing { state.isFinished = true }
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.resume() }
  }
}
