import Core
import Store
import Synchronization

/// Moves the drops of ended runs to where they belong, in groups, after the outcome is recorded.
///
/// Filing is lazy: a crash in between costs nothing, for recovery finds ended runs that are not filed.
package final class Filer: Sendable {
  private struct State {
    var pending: [Filing] = []
    /// Could not be moved: tried again after a while, and left to the next agent by one that stops.
    var troubled: [(filing: Filing, reason: String)] = []
    /// Reasons that were said, until nothing is troubled any more.
    var said: Set<String> = []
    var isWorking = false
    var isStopping = false
  }

  private static let batch = 256
  private static let pause = Duration.seconds(5)
  /// Between two groups, while drops end one after the other: each group costs three syncs, whatever its size.
  private static let pace = Duration.milliseconds(100)
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

  /// Whether nothing is to be filed but what cannot be filed now.
  package var isIdle: Bool { state.withLock { $0.pending.isEmpty && !$0.isWorking } }

  /// What cannot be filed now, and why, in words.
  package var troubles: [String] {
    let troubled = state.withLock { $0.troubled }
    guard let first = troubled.first else { return [] }
    let count = troubled.count == 1 ? "1 drop of an ended run" : "\(troubled.count) drops of ended runs"
    return ["\(count) cannot be filed: \(first.reason)"]
  }

  /// Ends the loop when all that was added is filed.
  package func stop() {
    state.withLock { $0.isStopping = true }
    bell.ring()
  }

  /// - Throws: what the store throws, and a sync that failed; ended runs stay unfiled and are filed by the next agent.
  package func run() async throws {
    while true {
      let batch = take()
      if !batch.isEmpty {
        try await file(batch)
        if isWorthWaiting { try await bench.clock.sleep(for: Self.pace) }
        continue
      }
      onProgress()
      // whether there is more is asked with it: a run may have ended since, and it was the last
      let (isOver, isTroubled) = state.withLock { ($0.isStopping && $0.pending.isEmpty, !$0.troubled.isEmpty) }
      if isOver { return }
      await bell.wait(atMost: isTroubled ? Self.pause : nil, on: bench.clock)
      try Task.checkCancellation()
      if isTroubled { retryTroubled() }
    }
  }

  /// Whether some more have ended meanwhile, and not yet a whole group.
  private var isWorthWaiting: Bool {
    state.withLock { !$0.isStopping && !$0.pending.isEmpty && $0.pending.count < Self.batch }
  }

  private func take() -> [Filing] {
    state.withLock { state in
      let batch = Array(state.pending.prefix(Self.batch))
      state.pending.removeFirst(batch.count)
      state.isWorking = !batch.isEmpty
      return batch
    }
  }

  private func retryTroubled() {
    state.withLock { state in
      if state.isStopping { return }
      state.pending += state.troubled.map(\.filing)
    }
  }

  private func file(_ batch: [Filing]) async throws {
    let report = try bench.spool.file(batch)
    for lost in report.missing {
      bench.say(.filingTroubled("`var/work/\(lost.id)` is gone: someone took the drop away"))
    }
    let unsaid = state.withLock { state in
      let batch = Set(batch.map(\.id))
      state.troubled.removeAll { batch.contains($0.filing.id) }
      state.troubled += report.troubled
      if state.troubled.isEmpty { state.said = [] }
      return report.troubled.map(\.reason).filter { state.said.insert($0).inserted }
    }
    for reason in unsaid { bench.say(.filingTroubled(reason)) }
    let troubled = Set(report.troubled.map(\.filing.id))
    let filed = batch.filter { !troubled.contains($0.id) }
    if filed.isEmpty { return }
    try await bench.store.filed(filed.map(\.id))
    Failpoint.filingRecorded.pass()
    for filing in filed { bench.say(.dropFiled(filing.name, to: filing.destination)) }
  }
}

extension Filing {
  /// Where the drop of a run that ended goes.
  init(_ run: Run, ended state: RunState, reason: String? = nil) {
    let destination: Destination =
      switch state {
      case .done: .done
      case .quarantined: .quarantine
      default: .failed
      }
    self.init(id: run.id, name: run.drop?.name, destination: destination, reason: reason ?? run.reason)
  }
}
