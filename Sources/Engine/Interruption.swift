import Core
import Foundation
import Store

/// What becomes of a run whose stage was ended by a death: that of the agent, the host, or the spawner.
struct Interruption: Sendable {
  let bench: Workbench
  let book: PipelineBook

  /// A spawner that dies again and again must not be started again and again without a breath.
  private static let breath: TimeInterval = 2

  /// What `on_interrupt` of the stage says.
  enum Verdict: Equatable {
    case goesOn
    case fails(String)
    case holds(String)

    fileprivate var rank: Int {
      switch self {
      case .goesOn: 0
      case .holds: 1
      case .fails: 2
      }
    }

    init(_ policy: Stage.OnInterrupt?, stage: String, run: Run) {
      switch policy {
      case .retry, nil: self = .goesOn
      case .fail: self = .fails("stage `\(stage)` was interrupted, and `on_interrupt: fail` forbids another try")
      case .hold:
        self = .holds(
          "stage `\(stage)` was interrupted, and `on_interrupt: hold` waits for a person: `penstock retry \(run.number)` lets it go on"
        )
      }
    }
  }

  /// Takes up a run whose program died with the spawner.
  func take(_ run: Run, because reason: String) async throws -> RunExecutor.Disposition {
    let left = try await bench.store.reader.runningAttempts().filter { $0.run == run.id }
    var (step, verdict) = try await step(for: run, left: left, because: reason)
    if verdict == .goesOn { step.turn = .waits(until: bench.now() + Self.breath, reason: reason) }
    try await bench.store.advance(step)
    return say(verdict, of: run, step) ?? .interrupted
  }

  /// Closes the attempts that were left and turns the run: one step, for a crash in between would forget that a
  /// stage was interrupted, and with it what `on_interrupt` says.
  func step(for run: Run, left: [Attempt], because reason: String) async throws -> (Step, Verdict) {
    let now = bench.now()
    let closed = left.map { $0.interrupted(at: now, because: reason) }
    if left.isEmpty { return (Step(run: run.id, at: now), .goesOn) }
    let stages = try await pipeline(of: run)?.stages ?? []
    var verdict = Verdict.goesOn
    var stage: String?
    // several stages may have been at work: the strictest word counts
    for attempt in left {
      let policy = stages.first { $0.name == attempt.stage }?.onInterrupt
      let own = Verdict(policy, stage: attempt.stage, run: run)
      if own.rank > verdict.rank { (verdict, stage) = (own, attempt.stage) }
    }
    let turn: Step.Turn =
      switch verdict {
      case .goesOn: .goesOn
      case .fails(let reason): .ends(RunEnding(.failed, reason: reason, failedStage: stage))
      case .holds(let reason): .waits(until: nil, reason: reason)
      }
    return (Step(run: run.id, at: now, closed: closed, turn: turn), verdict)
  }

  /// Tells what was recorded; `nil` where the run simply goes on.
  func say(_ verdict: Verdict, of run: Run, _ step: Step) -> RunExecutor.Disposition? {
    if case .fails(let reason) = verdict {
      bench.say(.runEnded(.failed, seconds: 0, reason: reason), run)
      return .ended(.failed, reason: reason)
    }
    guard case .waits(let until, let reason) = step.turn else { return nil }
    bench.say(.runWaiting(until: until, reason: reason ?? ""), run)
    return .parked(until: until)
  }

  private func pipeline(of run: Run) async throws -> Pipeline? {
    guard let digest = run.version else { return nil }
    if let known = book.pipeline(digest: digest) { return known }
    guard let version = try await bench.store.reader.version(digest: digest) else { return nil }
    book.remember(version.pipeline, digest: digest)
    return version.pipeline
  }
}

extension Attempt {
  /// The attempt as a death ended it.
  func interrupted(at now: Date, because reason: String) -> Attempt {
    var attempt = self
    attempt.state = .interrupted
    attempt.ended = now
    attempt.reason = reason
    return attempt
  }
}
