import Core
import Store
import Synchronization

/// Moves the drops of ended runs to where they belong, in groups, after the outcome is recorded.
///
/// Filing is lazy: a crash in between costs nothing, for recovery finds ended runs that are not filed.
package final class Filer: Sendable {
  private struct State {
    var pending: [Filing] = []
    var isWorking = false
    var isStopping = false
  }

  private static let batch = 256
  private static let pause = Duration.seconds(5)
  private let bench: Workbench
  private let bell = Bell()
  private let state = Mutex(State())
  private let onProgress: @Sendable () -> Void

  package init(bench: Workbench, onProgress: @escaping @Sendable () -> Void) {
    self.bench = bench
    self.onProgress = onProgress
  }

  func add(_ filing: Filing) {
    state.withLock { $0.pending.append(filing) }
    bell.ring()
  }

  package var isIdle: Bool { state.withLock { $0.pending.isEmpty && !$0.isWorking } }

  /// Ends the loop when all that was added is filed.
  package func stop() {
    state.withLock { $0.isStopping = true }
    bell.ring()
  }

  /// - Throws: what the store throws; ended runs stay unfiled and are filed by the next agent.
  package func run() async throws {
    while true {
      let (batch, stopping) = state.withLock { state in
        let batch = Array(state.pending.prefix(Self.batch))
        state.pending.removeFirst(batch.count)
        state.isWorking = !batch.isEmpty
        return (batch, state.isStopping)
      }
      if batch.isEmpty {
        onProgress()
        if stopping { return }
        await bell.wait(atMost: nil, on: bench.clock)
        try Task.checkCancellation()
        continue
      }
      do {
        for lost in try bench.spool.file(batch) {
          bench.say(.filingTroubled("`var/work/\(lost.id)` is gone: someone took the drop away"))
        }
      } catch let trouble as HostError {
        state.withLock { $0.pending.insert(contentsOf: batch, at: 0) }
        bench.say(.filingTroubled(trouble.description))
        try await bench.clock.sleep(for: Self.pause)
        continue
      }
      try await bench.store.filed(batch.map(\.id))
      for filing in batch { bench.say(.dropFiled(filing.name, to: filing.destination)) }
    }
  }
}
