import Core
import Foundation
import Glibc
import Store
import TestSupport
import Testing

/// Trials with the real program and stages that burn what they say they cost: DESIGN 9.
@Suite(.serialized, .timeLimit(.minutes(10))) struct ScenarioTrialTests: TrialScenario {
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
    let told = try #require(list["trials"]?.array?.first)
    #expect(told["state"] == "promoted" && told["margin"] == 0.05 && told["margin_unit"] == "metric")
    let verdict = try #require(told["verdict"])
    #expect(verdict["verdict"] == "promote" && verdict["arm"] == "train=medium" && verdict["reason"] == told["reason"])
    for key in ["e", "threshold", "blocks", "mean", "low", "high", "saving"] {
      #expect(verdict[key]?.double != nil, "\(key)")
    }
    #expect(verdict["threshold"]?.double == 40)

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
