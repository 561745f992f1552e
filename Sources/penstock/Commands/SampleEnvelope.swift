import Core
import Foundation

/// An envelope as a hook would get it, with made-up values.
struct SampleEnvelope {
  var event: String
  var stages: [Stage]
  var home: String
  var now: Date
  var timeout: Duration
  var pipeline = "sample"
  /// For `before-stage` and `after-stage`; without it the first.
  var chosen: String?

  private static let id = "01930000-0000-7000-8000-000000000000"

  private var stage: Stage? {
    if ["before-stage", "after-stage"].contains(event) {
      return chosen.flatMap { name in stages.first { $0.name == name } } ?? stages.first
    }
    return stages.first { event == "before-\($0.name)" || event == "after-\($0.name)" }
  }

  private var verdict: JSON {
    Policy(
      pipeline: pipeline, state: .demoted, levels: [stages.first?.name ?? "train": .fine], source: .change,
      basis: StageBasis(), reason: "a parameter of stage `\(stages.first?.name ?? "train")` has changed", since: now
    ).json
  }

  func line() throws -> [UInt8] {
    guard let id = RunID(Self.id) else { throw CommandFailure("the sample run id is none") }
    let isAfter = event.hasPrefix("after-")
    let part = stage.map {
      Envelope.StagePart(
        name: $0.name, attempt: 1, granularity: .coarse, sample: nil, seed: 42, params: $0.params)
    }
    let drop = Drop(
      name: FileName("sample.csv"), bytes: 1234, sha256: String(repeating: "0", count: 64),
      captures: ["name": "sample"])
    return try Envelope(
      event: event,
      run: Envelope.RunPart(
        id: id, number: 7, pipeline: pipeline, version: String(repeating: "0", count: 64)),
      drop: Envelope.DropPart(drop), stage: part,
      inputs: [
        Envelope.FilePart(
          name: "input", path: home + "/samples/sample.csv", stage: nil, sha256: drop.sha256, bytes: 1234)
      ],
      out: home, home: home, deadline: Timestamp.text(now + timeout / .seconds(1)),
      outcome: isAfter
        ? Envelope.OutcomePart(
          state: event == "after-run" ? "done" : "ok", reason: nil, termination: .exited(0),
          usage: ResourceUsage(wall: 1.5, cpu: 1.2, peakRSS: 50 << 20)) : nil,
      outputs: isAfter ? [] : nil, metrics: isAfter ? ["rows": 100] : nil,
      verdict: event == "on-verdict" ? verdict : Optional.none
    ).line()
  }
}
