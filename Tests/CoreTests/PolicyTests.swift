import Core
import Foundation
import Testing

/// What stands for a pipeline, and what of its stages it was learned on.
@Suite struct PolicyTests {
  private static let day = Date(timeIntervalSince1970: 1_763_640_000)

  private func policy(_ state: Policy.State, _ level: Granularity, _ source: Policy.Source, reason: String = "r")
    -> Policy
  {
    Policy(
      pipeline: "p", state: state, levels: ["train": level], source: source, basis: StageBasis(), reason: reason,
      since: Self.day)
  }

  @Test func `a pin goes before what trials say, and what is taken back is coarse with its reason`() {
    let promoted = policy(.inForce, .fine, .trial(3))
    let pinned = policy(.pinned, .medium, .person)
    let both = PolicyStanding(pipeline: "p", verdict: promoted, pin: pinned)
    #expect(both.opinion(on: "train")?.level == .medium && both.levels == ["train": .medium])
    let alone = PolicyStanding(pipeline: "p", verdict: promoted)
    #expect(
      alone.opinion(on: "train") == GranularityOpinion(.policy, .fine, reason: "policy of trial 3 since 2025-11-20"))
    #expect(alone.opinion(on: "other") == nil)
    let back = PolicyStanding(pipeline: "p", verdict: policy(.demoted, .fine, .change, reason: "it has changed"))
    #expect(
      back.opinion(on: "train")
        == GranularityOpinion(.policy, .coarse, reason: "policy taken back 2025-11-20: it has changed"))
    #expect(back.levels == [:] && back.opinion(on: "other") == nil)
    #expect(PolicyStanding(pipeline: "p").opinion(on: "train") == nil)
  }

  @Test func `a verdict depends on the auto stages and on what they build on`() {
    let stages = [
      Stage(name: "ingest", program: ["x"]), Stage(name: "aside", program: ["x"]),
      Stage(name: "clean", program: ["x"], needs: ["ingest"], granularity: .auto),
      Stage(name: "train", program: ["x"], needs: ["clean"], granularity: .auto),
      Stage(name: "report", program: ["x"], needs: ["train", "aside"]),
    ]
    #expect(Pipeline(name: "p", stages: stages).basisStages.map(\.name) == ["ingest", "clean", "train"])
  }

  @Test func `what has changed is named, files first`() {
    let before = StageBasis(["train": ["params": "1", "file a.py": "2", "levels": "3"], "clean": ["command": "4"]])
    #expect(before.changes(to: before) == [])
    let after = StageBasis(["train": ["params": "0", "file a.py": "0", "levels": "3", "file b.py": "5"], "new": [:]])
    #expect(
      before.changes(to: after) == [
        "stage `clean` is not among those it was learned on any more", "`a.py` of stage `train` has changed",
        "`b.py` of stage `train` has changed", "a parameter of stage `train` has changed",
      ])
    let all = StageBasis(["a": ["file x": "1"], "b": ["file x": "1"], "c": ["file x": "1"]])
    #expect(
      all.changes(to: StageBasis(["a": ["file x": "2"], "b": ["file x": "2"], "c": ["file x": "1"]])) == [
        "`x` of stages `a`, `b` has changed"
      ])
  }

  @Test func `every part of a stage that may change a verdict is in its definition`() {
    let stage = Stage(name: "s", program: ["x"], params: ["a": 1], granularity: .auto)
    func changed(_ change: (inout Stage) -> Void) -> [String] {
      var other = stage
      change(&other)
      return zip(stage.definition(nil).sorted { $0.key < $1.key }, other.definition(nil).sorted { $0.key < $1.key })
        .filter { $0.value != $1.value }.map(\.0.key)
    }
    #expect(changed { $0.program = ["y"] } == ["command"])
    #expect(changed { $0.params = ["a": 2] } == ["params"])
    #expect(changed { $0.sample = 0.5 } == ["levels"])
    #expect(changed { $0.levelParams = [.fine: ["a": 3]] } == ["levels"])
    #expect(changed { $0.granularity = .fixed(.coarse, said: true) } == ["levels"])
    #expect(changed { $0.needs = ["r"] } == ["place"])
    #expect(changed { $0.when = "1" } == ["place"])
    // how it is run is no part of what it is
    #expect(changed { $0.timeout = .seconds(9) } == [] && changed { $0.retry.attempts = 5 } == [])
  }
}
