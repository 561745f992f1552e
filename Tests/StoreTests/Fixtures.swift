import Core
import Foundation
import Store

/// Moments, ids and nouns of the tests; times are whole milliseconds, as the store keeps them.
enum Fixture {
  static let noon = Date(timeIntervalSince1970: 1_763_640_000.125)

  /// The id of the `n`th run: later ones sort after.
  static func id(_ n: Int) -> RunID {
    var generator = Fixed(value: UInt64(n))
    return RunID(now: noon.addingTimeInterval(Double(n)), using: &generator)
  }

  static func run(
    _ n: Int, pipeline: String = "fx", state: RunState = .queued, captures: [String: String] = [:],
    ended: Bool = false
  ) -> Run {
    Run(
      id: id(n), pipeline: pipeline, version: nil, state: state, trigger: .drop,
      drop: Drop(name: FileName("drop-\(n).csv"), bytes: n, captures: captures), created: noon,
      ended: state.isTerminal ? noon : nil)
  }

  static func attempt(
    _ run: RunID, _ stage: String = "train", n: Int = 1, state: AttemptState = .running, wall: Double? = nil
  ) -> Attempt {
    Attempt(
      run: run, stage: stage, n: n, state: state,
      granularity: GranularityOpinion(.standard, .coarse, reason: "nothing says otherwise"), seed: 7,
      started: noon,
      ended: state == .running ? nil : noon.addingTimeInterval(1), termination: wall.map { _ in .exited(0) },
      usage: wall.map { ResourceUsage(wall: $0, cpu: $0 / 2, peakRSS: nil) }, boot: "boot-1")
  }

  static func hookCall(run: RunID?) -> HookCall {
    HookCall(
      run: run, stage: "train", attempt: 1, event: "before-train", program: "hooks/before-train.d/10-cap",
      sha256: "ab", at: noon, usage: ResourceUsage(wall: 0.25, cpu: 0.125, peakRSS: 4096),
      termination: .signaled(9), timedOut: true, decision: .error, reason: "it took longer than 30 s",
      stderrTail: "one\ntwo")
  }

  static func version(_ digest: String = "d1") -> PipelineVersion {
    PipelineVersion(
      digest: digest,
      pipeline: Pipeline(
        name: "fx", label: "1.2.0",
        stages: [Stage(name: "train", program: ["/bin/true"], timeout: .seconds(90))],
        vars: ["horizon": 1]),
      source: "pipeline: { name: fx } # Zürich\n", path: "pipelines/fx.yaml", loaded: noon)
  }
}

/// Gives one number for ever.
private struct Fixed: RandomNumberGenerator {
  let value: UInt64
  func next() -> UInt64 { value }
}

/// A directory of its own with the place of a state file in it; removed when nobody holds it any more.
final class TemporaryState: Sendable {
  let directory: String
  var path: String { directory + "/state.db" }

  init() throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "penstock-store-\(UUID().uuidString)")
    try FileManager.default.createDirectory(
      at: url, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    directory = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: directory) }

  func names(_ directory: String = "") throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: self.directory + "/" + directory).sorted()
  }

  func size(_ name: String = "state.db") throws -> Int {
    let attributes = try FileManager.default.attributesOfItem(atPath: directory + "/" + name)
    return (attributes[.size] as? NSNumber)?.intValue ?? -1
  }

  func mode(_ name: String = "state.db") throws -> Int {
    let attributes = try FileManager.default.attributesOfItem(atPath: directory + "/" + name)
    return (attributes[.posixPermissions] as? NSNumber)?.intValue ?? -1
  }
}

extension StateStore {
  /// Begins an attempt: the run is `running` from now on.
  func begin(_ run: RunID, attempt: Attempt, at now: Date) async throws {
    try await advance(Step(run: run, at: now, opened: [attempt]))
  }
}
