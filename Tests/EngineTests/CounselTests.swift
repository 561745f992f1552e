import Core
import Foundation
import Testing
import Trials

@testable import Engine

/// Who decides on the level of a stage: the order of authority.
@Suite struct CounselTests {
  private static let auto = Stage(name: "train", program: ["x"], granularity: .auto, sample: 0.1)
  private static let rule = GranularityOpinion(.rule, .medium, reason: "rule 1")
  private static let policy = PolicyStanding(
    pipeline: "p",
    pin: Policy(
      pipeline: "p", state: .pinned, levels: ["train": .fine], source: .person, basis: StageBasis(), reason: "",
      since: Nouns.noon))

  private func choice(
    _ stage: Stage = auto, arm: Bool = false, override: Bool = false, hook: Bool = false, rule: Bool = false,
    policy: Bool = false
  ) -> GranularityChoice {
    GranularityChoice(
      for: stage, options: RunOptions(granularity: override ? ["train": .fine] : [:]),
      hook: hook ? GranularityOpinion(.hook, .medium, reason: "hook") : nil,
      counsel: Counsel(
        arm: arm ? Arm(["train": .off]) : nil, rules: rule ? ["train": Self.rule] : [:],
        policy: policy ? Self.policy : nil))
  }

  @Test func `each authority gives way to those before it`() {
    let all = choice(arm: true, override: true, hook: true, rule: true, policy: true)
    #expect(all.opinion.authority == .arm)
    #expect(choice(override: true, hook: true, rule: true, policy: true).opinion.authority == .override)
    #expect(choice(hook: true, rule: true, policy: true).opinion.authority == .hook)
    #expect(choice(rule: true, policy: true).opinion == Self.rule)
    #expect(choice(policy: true).opinion.level == .fine && choice(policy: true).opinion.authority == .policy)
    #expect(choice().opinion == GranularityOpinion(.standard, .coarse, reason: "nothing says otherwise"))
  }

  @Test func `a level that is fixed asks neither rules nor policy`() {
    let fixed = Stage(name: "train", program: ["x"], granularity: .fixed(.coarse, said: true))
    #expect(choice(fixed, rule: true, policy: true).opinion.authority == .fixed)
  }

  @Test func `what a rule samples is the fraction of the stage`() {
    #expect(choice(rule: true).sample == 0.1)
    #expect(choice(policy: true).sample == nil)
  }

  @Test func `a number of the data is that of the nearest stage before, the largest of several`() {
    let stages = [
      Stage(name: "ingest", program: ["x"]), Stage(name: "check", program: ["x"], needs: ["ingest"]),
      Stage(name: "clean", program: ["x"], needs: ["check"]), Stage(name: "aside", program: ["x"], needs: ["ingest"]),
      Stage(name: "train", program: ["x"], needs: ["clean", "aside"]),
    ]
    var facts = StageFacts()
    func take(_ stage: String, rows: Int?) {
      var attempt = Nouns.attempt(stage, 1, .ok)
      if let rows { attempt.data = ["rows": .integer(rows)] }
      facts.take(attempt)
    }
    #expect(facts.nearest("rows", above: stages[1], in: stages) == nil)
    take("ingest", rows: 100)
    take("check", rows: nil)
    #expect(facts.nearest("rows", above: stages[2], in: stages) == 100)
    take("clean", rows: 20)
    #expect(facts.nearest("rows", above: stages[4], in: stages) == 100)
    take("aside", rows: 5)
    #expect(facts.nearest("rows", above: stages[4], in: stages) == 20)
    #expect(facts.nearest("rows", above: stages[0], in: stages) == nil)
  }
}
