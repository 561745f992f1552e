import Core
import Foundation
import Glibc
import Store
import TestSupport
import Testing

/// What suites of trials have in common: a workspace whose stage burns what it says it costs.
protocol TrialScenario {}

extension TrialScenario {
  /// Quality by level and block, cost by level; rows are the same whatever the level, but for what it loses.
  static var train: String {
    """
    #!/usr/bin/env python3
    import json, os, random, sys
    request = json.load(sys.stdin)
    level, trial = request["stage"]["granularity"], request["run"]["trial"]
    home = os.environ["PENSTOCK_HOME"]
    with open(os.path.join(home, "calls"), "a") as calls:
        calls.write(json.dumps([level, trial and [trial["block"], trial["fold"]]]) + "\\n")
    if trial and os.path.exists(os.path.join(home, "hold")):
        open(os.path.join(home, "held"), "w").close()
        import time
        while os.path.exists(os.path.join(home, "hold")): time.sleep(0.01)
    rounds = {"coarse": 900000, "medium": 300000, "fine": 100000}[level]
    total = 0
    for i in range(rounds): total += i
    seed, fold = (trial["seed"], trial["fold"]) if trial else (1, 0)
    chance = random.Random(f"{seed}/{fold}")
    rows = list(range(fold, 400, trial["folds"] if trial else 1))
    drift = "drift" in open(request["inputs"][0]["path"]).read()
    lost = {"coarse": 0, "medium": 60 if drift else 1, "fine": 40}[level]
    scores = [1.0 if chance.random() < 0.9 and row % 200 >= lost else 0.0 for row in rows]
    json.dump({"rows": rows, "scores": scores}, open("row_scores.json", "w"))
    quality = sum(scores) / len(scores)
    told = not os.path.exists(os.path.join(home, "norows"))
    outputs = [{"name": "row_scores", "path": "row_scores.json"}] if told else []
    print(json.dumps({"metrics": {"quality": quality}, "outputs": outputs}))
    """
  }

  func workspace(trials: String = "margin: 0.05", settings: String = "") async throws -> ScenarioWorkspace {
    let place = try ScenarioWorkspace(settings: settings)
    try place.write("stages/train.py", Self.train, mode: 0o755)
    try place.script("stages/publish.sh", "cat > /dev/null; echo x >> \"$PENSTOCK_HOME/published\"")
    for event in ["before-run", "after-run", "before-stage", "after-train", "on-verdict"] {
      try place.script("hooks/\(event).d/10-note", "cat > /dev/null; echo \(event) >> \"$PENSTOCK_HOME/hooked\"")
    }
    try place.write(
      "pipelines/p.yaml",
      """
      pipeline: { name: p }
      trigger: { inbox: "*.csv" }
      trials: { metric: quality, folds: 2, \(trials) }
      stages:
        - { name: prepare, run: ["/bin/sh", "-c", "cat > /dev/null"] }
        - { name: train, run: [./stages/train.py], granularity: auto, splits: true, medium: { sample: 50% }, fine: {} }
        - { name: publish, run: [./stages/publish.sh], needs: [train] }
      """)
    return place
  }

  func drop(_ place: ScenarioWorkspace, _ name: String = "a.csv") async throws {
    try place.drop(name)
    #expect(try await place.penstock("up", "--once").code == 0)
  }

  func trial(_ place: ScenarioWorkspace) async throws -> (Trial, [TrialObservation]) {
    try await place.reader { reader in
      let trial = try #require(try await reader.trials(limit: 1).first)
      return (trial, try await reader.observations(of: trial.number))
    }
  }

  /// Of every run; the hooks of a verdict are told as part of the newest.
  func rows(_ place: ScenarioWorkspace) throws -> [Substring] {
    try place.rows().split(separator: "\n").filter { !$0.hasPrefix("hook_call") }
  }

  /// Each evaluation counts once, and blocks of an arm come in order without a gap.
  func expectWhole(_ observations: [TrialObservation]) {
    for (arm, own) in Dictionary(grouping: observations.filter { $0.state == .ok }, by: \.arm) {
      let blocks = own.compactMap { $0.unit.hasPrefix("block:") ? Int($0.unit.dropFirst(6)) : nil }
      #expect(blocks == Array(1...max(1, blocks.count)), "arm \(arm)")
    }
  }
}
