import Core
import Foundation
import Store

/// What an agent that is gone has left in the state: made by the store itself, at moments of its own.
struct Past {
  static let noon = Date(timeIntervalSince1970: 1_763_640_000)

  let store: StateStore

  init(_ scene: Scene) throws {
    try FileManager.default.createDirectory(
      atPath: scene.path("var"), withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    store = try StateStore(path: scene.path("var/state.db"))
  }

  static func id(_ n: Int) -> RunID {
    var generator = Steady()
    return RunID(now: noon.addingTimeInterval(Double(n)), using: &generator)
  }

  /// Records a run of one stage that begins `n` minutes after noon and takes 90 s.
  @discardableResult
  func run(
    _ n: Int, pipeline: String = "fx", drop: FileName = FileName("fx.csv"), state: RunState? = .done,
    reason: String? = nil, stage: String = "train"
  ) async throws -> Run {
    let begun = Self.noon.addingTimeInterval(Double(n) * 60)
    let run = Run(
      id: Self.id(n), pipeline: pipeline, version: nil, trigger: .drop, drop: Drop(name: drop, bytes: 2048),
      created: begun)
    var attempt = Attempt(
      run: run.id, stage: stage, n: 1,
      granularity: GranularityOpinion(.override, .fine, reason: "asked for by hand"), seed: 42,
      started: begun, boot: "b")
    let claimed = try await store.claim([NewRun(run, attempt: attempt)])[0]
    guard let state else { return claimed }
    let ended = begun.addingTimeInterval(90)
    attempt.state = state == .done ? .ok : .failed
    attempt.ended = ended
    attempt.termination = .exited(state == .done ? 0 : 1)
    attempt.usage = ResourceUsage(wall: 90, cpu: 45.5, peakRSS: 64 << 20)
    attempt.metrics = ["accuracy": 0.5625]
    attempt.reason = state == .done ? nil : reason
    let ending = RunEnding(state, reason: reason, failedStage: state == .failed ? stage : nil)
    try await store.advance(
      Step(
        run: run.id, at: ended, closed: [attempt],
        artifacts: [
          Artifact(stage: stage, name: "report", path: "train/report.html", bytes: 4096, sha256: "ab")
        ], turn: .ends(ending)))
    return claimed
  }

  func close() throws { try store.close() }
}

private struct Steady: RandomNumberGenerator {
  func next() -> UInt64 { 0x1234_5678_9ABC_DEF0 }
}
