import Core
import Foundation
import Store

/// What becomes of a run whose stage was ended by a death: that of the agent, the host, or the spawner.
struct Interruption: Sendable {
  let bench: Workbench

  /// A spawner that dies again and again must not be started again and again without a breath.
  private static let breath: TimeInterval = 2

  /// Takes up a run whose program died with the spawner.
  func take(_ run: Run, because reason: String) async throws -> RunExecutor.Disposition {
    let left = try await bench.store.reader.runningAttempts().filter { $0.run == run.id }
    try await bench.store.interrupt(left, reason: reason, at: bench.now())
    if let stage = left.first?.stage, let disposition = try await follow(run, in: stage) { return disposition }
    let until = bench.now() + Self.breath
    try await bench.store.park(run.id, until: until, reason: reason, at: bench.now())
    bench.say(.runWaiting(until: until, reason: reason), run)
    return .parked(until: until)
  }

  /// Does what `on_interrupt` of the stage says; `nil` where the run simply goes on.
  func follow(_ run: Run, in stage: String) async throws -> RunExecutor.Disposition? {
    switch try await policy(of: stage, in: run) {
    case .retry, nil: return nil
    case .fail:
      let reason = "stage `\(stage)` was interrupted, and `on_interrupt: fail` forbids another try"
      try await bench.store.end(
        run.id, RunEnding(.failed, reason: reason, failedStage: stage), at: bench.now())
      bench.say(.runEnded(.failed, seconds: 0, reason: reason), run)
      return .ended(.failed, reason: reason)
    case .hold:
      let reason =
        "stage `\(stage)` was interrupted, and `on_interrupt: hold` waits for a person: `penstock retry \(run.number)` lets it go on"
      try await bench.store.park(run.id, until: nil, reason: reason, at: bench.now())
      bench.say(.runWaiting(until: nil, reason: reason), run)
      return .parked(until: nil)
    }
  }

  private func policy(of stage: String, in run: Run) async throws -> Stage.OnInterrupt? {
    guard let digest = run.version else { return nil }
    let version = try await bench.store.reader.version(digest: digest)
    return version?.pipeline.stages.first { $0.name == stage }?.onInterrupt
  }
}
