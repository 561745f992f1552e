import Core
import Foundation
import Glibc
import Store
import TestSupport
import Testing

/// Trials with the real program and stages that burn what they say they cost: DESIGN 9.
@Suite(.serialized, .timeLimit(.minutes(10))) struct ScenarioTrialTests {
  /// Quality by level and block, cost by level; rows are the same whatever the level, but for what it loses.
  private static let train = """
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

  private func workspace(trials: String = "margin: 0.05", settings: String = "") async throws -> ScenarioWorkspace {
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

  private func drop(_ place: ScenarioWorkspace, _ name: String = "a.csv") async throws {
    try place.drop(name)
    #expect(try await place.penstock("up", "--once").code == 0)
  }

  private func trial(_ place: ScenarioWorkspace) async throws -> (Trial, [TrialObservation]) {
    try await place.reader { reader in
      let trial = try #require(try await reader.trials(limit: 1).first)
      return (trial, try await reader.observations(of: trial.number))
    }
  }

  /// Of every run; the hooks of a verdict are told as part of the newest.
  private func rows(_ place: ScenarioWorkspace) throws -> [Substring] {
    try place.rows().split(separator: "\n").filter { !$0.hasPrefix("hook_call") }
  }

  /// Each evaluation counts once, and blocks of an arm come in order without a gap.
  private func expectWhole(_ observations: [TrialObservation]) {
    for (arm, own) in Dictionary(grouping: observations.filter { $0.state == .ok }, by: \.arm) {
      let blocks = own.compactMap { $0.unit.hasPrefix("block:") ? Int($0.unit.dropFirst(6)) : nil }
      #expect(blocks == Array(1...max(1, blocks.count)), "arm \(arm)")
    }
  }

  @Test
  func `a trial finds the cheaper level that loses nothing, the next run uses it, an edited program takes it back`()
    async throws
  {
    let place = try await workspace()
    try await drop(place)
    let hooked = place.text("hooked")
    let before = try rows(place)
    let ended = try await place.penstock("trials", "start", "p", "--wait", "--json")
    #expect(ended.code == 0, "\(ended.complaints)")
    let answer = try JSON(parsing: Data(ended.output.utf8))["trial"]
    #expect(answer?["state"] == "promoted" && answer?["paused"] == false, "\(ended.output)")
    #expect(answer?["reason"]?.string?.hasPrefix("train=medium saves ") == true)
    let (trial, observations) = try await trial(place)
    #expect(trial.state == .promoted && trial.ended != nil)
    expectWhole(observations)
    // no run, no hook but that of the verdict, nothing published, nothing left of its directories
    #expect(try rows(place) == before)
    #expect(place.text("hooked") == hooked + "on-verdict\n")
    #expect(place.text("published") == "x\n")
    #expect(place.names("var/trials") == [])

    let page = try await place.penstock("trials", "show", "last")
    #expect(page.output.contains("train=medium  accepted"), "\(page.output)")
    let list = try JSON(parsing: Data(try await place.penstock("trials", "--json").output.utf8))
    #expect(list["trials"]?.array?.first?["state"] == "promoted")

    try await drop(place, "b.csv")
    #expect(try await place.penstock("why", "last", "train").output.contains("policy of trial 1"))
    #expect(try await place.attempts(try #require(try await place.runs().last))[1].granularity.level == .medium)
    try place.write("stages/train.py", Self.train + "# edited\n", mode: 0o755)
    try await drop(place, "c.csv")
    let last = try await place.attempts(try #require(try await place.runs().last))[1].granularity
    #expect(last.level == .coarse && last.reason.contains("`stages/train.py` of stage `train` has changed"))
  }

  @Test func `a drop that comes while an arm runs is worked at once, and the trial goes on afterwards`() async throws {
    let place = try await workspace()
    try await drop(place)
    let agent = try await place.up()
    try place.write("hold", "")
    #expect(try await place.penstock("trials", "start", "p").code == 0)
    try await until("an arm to run; \(place.tail)") { place.exists("held") }
    try place.drop("b.csv")
    let run = try #require(try await place.ended(2).last)
    // from its arrival to the first program; the arm would have slept for minutes
    #expect(try #require(run.started).timeIntervalSince(run.created) < 1)
    try FileManager.default.removeItem(atPath: place.path("hold"))
    try await until("the trial to be decided; \(place.tail)") { try await self.trial(place).0.state.isTerminal }
    let (_, observations) = try await trial(place)
    #expect(observations.contains { $0.state == .interrupted && $0.reason == "it gave way" })
    expectWhole(observations)
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `a trial that was killed goes on with what is left, and counts nothing twice`() async throws {
    let place = try await workspace()
    try await drop(place)
    let agent = try await place.up()
    #expect(try await place.penstock("trials", "start", "p").code == 0)
    try await until("some blocks; \(place.tail)") {
      try await place.reader { try await $0.observations(of: 1) }.filter { $0.state == .ok }.count >= 3
    }
    try place.write("hold", "")
    try await until("an arm to be held; \(place.tail)") { place.exists("held") }
    agent.signal(SIGKILL)
    _ = try await agent.end()
    let (_, killed) = try await trial(place)
    let counted = killed.filter { $0.state == .ok }.map { [$0.arm.description, $0.unit] }
    #expect(killed.last?.state == .running)
    try FileManager.default.removeItem(atPath: place.path("hold"))
    let ended = try await place.penstock("trials", "start", "p", "--wait")
    #expect(ended.code == 0, "\(ended.complaints)")
    let (trial, observations) = try await trial(place)
    #expect(trial.number == 1 && trial.state == .promoted)
    #expect(observations.filter { $0.state == .interrupted }.map(\.reason) == ["the agent died"])
    expectWhole(observations)
    let units = observations.filter { $0.state == .ok }.map { [$0.arm.description, $0.unit] }
    #expect(Array(units.prefix(counted.count)) == counted)
  }

  @Test func `in its window a trial begins by itself, and not again on the same data`() async throws {
    let place = try await workspace(trials: "margin: 0.05, window: \"00:00-24:00\"")
    try await drop(place)
    let agent = try await place.up()
    try await until("the trial to be decided; \(place.tail)") {
      let trials = try await place.reader { try await $0.trials() }
      return trials.first?.state.isTerminal ?? false
    }
    #expect(try await place.stop(agent).code == 0)
    let again = try await place.up()
    try place.drop("b.csv", "a,b\n1,2\n")
    try await place.ended(2)
    #expect(try await place.stop(again).code == 0)
    #expect(try await place.reader { try await $0.trials() }.filter { $0.origin != .watch }.count == 1)
  }

  @Test func `when its CPU time is used up a trial waits, and goes on when asked again`() async throws {
    let place = try await workspace()
    try await drop(place)
    let first = try await place.penstock("trials", "start", "p", "--wait", "--budget", "100ms", "--json")
    let paused = try JSON(parsing: Data(first.output.utf8))["trial"]
    #expect(first.code == 0 && paused?["paused"] == true, "\(first.complaints)")
    #expect(paused?["reason"]?.string?.contains("is used up; nothing is shown yet") == true)
    let second = try await place.penstock("trials", "start", "p", "--wait", "--json")
    #expect(try JSON(parsing: Data(second.output.utf8))["trial"]?["number"] == 1)
    expectWhole(try await trial(place).1)
  }

  @Test func `without scores of rows nothing is promoted, unless the pipeline relaxes that`() async throws {
    let place = try await workspace()
    try place.write("norows", "")
    try await drop(place)
    let first = try await place.penstock("trials", "start", "p", "--wait", "--json")
    let kept = try JSON(parsing: Data(first.output.utf8))["trial"]
    #expect(kept?["state"] == "kept", "\(first.output)")
    #expect(try await place.penstock("trials", "show", "last").output.contains("rows"))
    let yaml = place.text("pipelines/p.yaml")
    try place.write("pipelines/p.yaml", yaml.replacingOccurrences(of: "folds: 2,", with: "folds: 2, relaxed: true,"))
    let second = try await place.penstock("trials", "start", "p", "--wait", "--json")
    let promoted = try JSON(parsing: Data(second.output.utf8))["trial"]
    #expect(promoted?["state"] == "promoted", "\(second.output)")
    #expect(promoted?["reason"]?.string?.contains("`relaxed` lets it pass") == true, "\(second.output)")
  }

  @Test func `two arms that are the same, given by hand, save nothing, and nothing is promoted`() async throws {
    let place = try await workspace(trials: "margin: 0.05, arms: [ { name: twin, params: { train: { x: 1 } } } ]")
    try await drop(place)
    let ended = try await place.penstock("trials", "start", "p", "--wait", "--budget", "20s", "--json")
    let answer = try JSON(parsing: Data(ended.output.utf8))["trial"]
    #expect(answer?["state"] == "kept", "\(ended.output)\(ended.complaints)")
    #expect(try await place.reader { try await $0.policies() }.isEmpty)
  }

  @Test func `why there can be no trial is said in words`() async throws {
    let place = try await workspace()
    func refusal(_ pipeline: String = "p") async throws -> String {
      let ended = try await place.penstock("trials", "start", pipeline, "--wait")
      #expect(ended.code == 1 || ended.code == 2, "\(ended.code)")
      return ended.complaints
    }
    #expect(try await refusal().contains("has no data to try arms on: drop a file first"))
    #expect(try await refusal("q").contains("no pipeline `q`"))
    try await drop(place)
    let yaml = place.text("pipelines/p.yaml")
    try place.write("pipelines/p.yaml", yaml.replacingOccurrences(of: "metric: quality", with: "metric: gain"))
    #expect(try await refusal().contains("no stage of the latest done run of `p` gave a metric `gain`"))
    try place.write("pipelines/p.yaml", yaml.replacingOccurrences(of: "trials:", with: "env: [] #"))
    #expect(try await refusal().contains("pipeline `p` has no `trials:`"))
    try place.write("pipelines/p.yaml", yaml.replacingOccurrences(of: "[./stages/train.py],", with: "[/bin/false],"))
    try await place.penstock("run", "p", "--wait")
    let broken = try await place.penstock("trials", "start", "p", "--wait")
    #expect(broken.code == 1)
    #expect(broken.output.contains("the control, every stage at `coarse`, failed: stage `train`"), "\(broken.output)")
    let empty = try await place.penstock("trials", "show", "9")
    #expect(empty.code != 0 && empty.complaints.contains("there is no trial `9`"))
  }

  @Test func `an agent says at once why there can be no trial, whether one waits or not`() async throws {
    let place = try await workspace()
    let agent = try await place.up()
    for wait in [[], ["--wait"]] {
      let ended = try await place.start(["trials", "start", "p"] + wait).end()
      #expect(
        ended.code != 0 && ended.complaints.contains("has no data to try arms on"), "\(wait): \(ended.complaints)")
    }
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `a stage that is edited while its trial runs ends the trial, and what was seen of it counts for nothing`()
    async throws
  {
    let place = try await workspace()
    try await drop(place)
    let trial = try place.start(["trials", "start", "p", "--wait", "--json"])
    try await until("a block") {
      (try? await place.reader { try await $0.observations(of: 1) })?.contains { $0.state == .ok } ?? false
    }
    try place.write("hold", "")
    try await until("an arm to be held") { place.exists("held") }
    try place.write("stages/train.py", Self.train + "# edited\n", mode: 0o755)
    try FileManager.default.removeItem(atPath: place.path("hold"))
    let ended = try await trial.end()
    let answer = try JSON(parsing: Data(ended.output.utf8))["trial"]
    #expect(ended.code == 1 && answer?["state"] == "stopped", "\(ended.output)\(ended.complaints)")
    #expect(answer?["reason"]?.string?.contains("were changed") == true)
    #expect(try await place.reader { try await $0.policies() }.isEmpty)
    let again = try await place.penstock("trials", "start", "p", "--wait", "--json")
    #expect(try JSON(parsing: Data(again.output.utf8))["trial"]?["number"] == 2)
  }

  @Test func `a trial whose copy of the data is not what it was ends, and another begins`() async throws {
    let place = try await workspace()
    try await drop(place)
    let first = try await place.penstock("trials", "start", "p", "--wait", "--budget", "1ms")
    #expect(first.output.contains("trial 1 of p is not decided yet: the CPU time of 1ms is used up"), "\(first.output)")
    let copy = try #require(place.names("var/trials").first).appending("/input/0/a.csv")
    try place.write("var/trials/" + copy, "other\n")
    let second = try await place.penstock("trials", "start", "p", "--wait", "--budget", "1ms")
    #expect(second.output.contains("trial 2 of p is not decided yet"), "\(second.output)\(second.complaints)")
    let trials = try await place.reader { try await $0.trials() }
    #expect(trials.last?.state == .stopped && trials.last?.reason?.contains("its copy of the data") == true)
  }

  @Test func `a drop whose name is not UTF-8 is tried like any other`() async throws {
    let place = try await workspace()
    try place.write("plain", "a\n1\n")
    let name: [UInt8] = [0xFF, 0xFE] + Array("x.csv".utf8)
    let target = Array(place.path("inbox/").utf8) + name
    #expect(rename(place.path("plain"), target.map { CChar(bitPattern: $0) } + [0]) == 0)
    #expect(try await place.penstock("up", "--once").code == 0)
    let ended = try await place.penstock("trials", "start", "p", "--wait", "--budget", "1ms")
    #expect(ended.code == 0, "\(ended.complaints)")
  }

  @Test func `Ctrl-C of a trial without an agent says so by its code, and the trial goes on later`() async throws {
    let place = try await workspace()
    try await drop(place)
    try place.write("hold", "")
    let trial = try place.start(["trials", "start", "p", "--wait"])
    try await until("an arm to run") { place.exists("held") }
    trial.signal(SIGINT)
    #expect(try await trial.end().code == 130)
    try FileManager.default.removeItem(atPath: place.path("hold"))
    let again = try await place.penstock("trials", "start", "p", "--wait", "--json")
    #expect(try JSON(parsing: Data(again.output.utf8))["trial"]?["number"] == 1)
  }

  /// Looks at the arm in force as earlier nights would have left them.
  private func leaveLooks(_ place: ScenarioWorkspace, _ differences: [Double]) async throws {
    let (trial, _) = try await trial(place)
    let store = try StateStore(path: place.path("var/state.db"))
    var chance = SystemRandomNumberGenerator()
    for difference in differences {
      var look = trial
      look.id = RunID(now: Date(), using: &chance)
      (look.origin, look.state, look.created) = (.watch, .confirming, Date())
      look = try await store.open(look)
      for (arm, quality) in [0.9, 0.9 + difference].enumerated() {
        var one = try await store.begin(
          TrialObservation(trial: look.number, n: 0, arm: arm, unit: "screen:1", began: Date()))
        (one.state, one.quality, one.ended) = (.ok, quality, Date())
        try await store.end(one, nil, at: Date())
      }
      try await store.put(TrialStanding(state: .kept, verdict: .null, reason: "seen"), on: look.number, at: Date())
    }
    try store.close()
  }

  @Test func `the blocks of an alarm stay within the budget of the night`() async throws {
    let place = try await workspace(trials: "margin: 0.05, budget: 1s, window: \"00:00-24:00\"")
    try await drop(place)
    #expect(try await place.penstock("trials", "start", "p", "--wait", "--budget", "1h").code == 0)
    #expect(try await trial(place).0.state == .promoted)
    try await leaveLooks(place, [-0.9, -0.3, -0.8, -0.3, -0.9, -0.3, -0.8])
    let agent = try await place.up()
    try await until("a look; \(place.tail)") {
      let last = try await self.trial(place).0
      return last.number == 9 && last.ended != nil
    }
    let (look, observations) = try await trial(place)
    #expect(try await place.stop(agent).code == 0)
    let pairs = observations.count { $0.arm == 1 }
    let spent = observations.map(\.spent)
    // the pair at hand is finished
    #expect(spent.reduce(0, +) >= 1 && spent.dropLast(2).reduce(0, +) < 1, "\(spent)")
    #expect(observations.last?.unit == "block:\(pairs)")
    #expect(look.reason?.contains(": \(20 - pairs) more blocks are wanted") == true, "\(look.reason ?? "")")
    #expect(try await place.reader { try await $0.policy(of: "p") }.verdict?.state == .inForce)
  }

  @Test func `an arm in force is looked at once a week, and taken back when it is shown to lose`() async throws {
    let place = try await workspace(trials: "margin: 0.05, window: \"00:00-24:00\"")
    try await drop(place)
    #expect(try await place.penstock("trials", "start", "p", "--wait").code == 0)
    #expect(try await trial(place).0.state == .promoted)
    let first = try await place.up()
    try await until("a look; \(place.tail)") {
      let last = try await self.trial(place).0
      return last.number == 2 && last.ended != nil
    }
    let (look, observations) = try await trial(place)
    #expect(look.origin == .watch && look.reason == "the arm in force is as good as it was")
    #expect(observations.map(\.arm) == [0, 1] && observations.allSatisfy { $0.state == .ok && $0.unit == "screen:1" })
    #expect(try await place.stop(first).code == 0)
    let second = try await place.up()
    try place.drop("b.csv", "drift\n")
    try await place.ended(2)
    #expect(try await place.stop(second).code == 0)
    #expect(try await place.reader { try await $0.trials() }.count == 2, "a week has not passed")

    try await leaveLooks(place, Array(repeating: -0.6, count: 6))
    let third = try await place.up()
    try await until("it is taken back; \(place.tail)") {
      try await place.reader { try await $0.policy(of: "p") }.verdict?.state == .demoted
    }
    try await until("the hook to be told; \(place.tail)") { place.text("hooked").hasSuffix("on-verdict\n") }
    #expect(try await place.stop(third).code == 0)
    try await drop(place, "c.csv")
    let why = try await place.penstock("why", "last", "train").output
    #expect(
      why.contains("policy taken back") && why.contains("the paired folds lose more than the margin, and"), "\(why)")
  }
}
