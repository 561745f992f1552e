import Core
import Testing
import Trials

@testable import Engine

/// What a race is told of passes through the stages of an arm.
@Suite struct EvaluationTests {
  private func pass(_ metric: Double?, _ scores: [String: Float]? = nil, failure: String? = nil) -> ArmExecutor.Pass {
    var pass = ArmExecutor.Pass()
    (pass.metric, pass.scores, pass.failure, pass.cost, pass.spent) = (metric, scores, failure, 2, 1)
    return pass
  }

  @Test func `a block is the mean of its folds, each row once, in the order of the ids`() {
    var evaluation = Evaluation()
    evaluation.add(pass(0.8, ["c": 1, "a": 0]))
    evaluation.add(pass(0.9, ["b": 0.5]))
    let said = evaluation.observation(arm: 3, unit: .block(1), rules: TrialRules(), control: 0.5)
    #expect(said == Observation(arm: 3, unit: .block(1), quality: (0.8 + 0.9) / 2, cost: 4, rows: [0, 0.5, 1]))
    #expect(evaluation.spent == 2)
  }

  @Test func `a metric that is to be small is turned round, and a margin that is a share scales`() {
    var evaluation = Evaluation()
    evaluation.add(pass(6, ["a": 3]))
    let rules = TrialRules(metric: "rmse", margin: .share(0.02))
    let said = evaluation.observation(arm: 1, unit: .block(2), rules: rules, control: 4)
    #expect(said.quality == -1.5 && said.rows == [0.75])
    let control = evaluation.observation(arm: 0, unit: .block(2), rules: rules, control: 6)
    #expect(control.quality == -1)
  }

  @Test func `an arm that breaks in one fold has no quality and no rows`() {
    var evaluation = Evaluation()
    evaluation.add(pass(0.8, ["a": 1]))
    evaluation.add(pass(nil, failure: "exit 1"))
    let said = evaluation.observation(arm: 1, unit: .block(1), rules: TrialRules(), control: 0.8)
    #expect(said.quality == nil && said.rows == nil && said.cost == 4 && evaluation.failure == "exit 1")
  }

  @Test func `rows are for blocks, and for those whose folds all say them`() {
    var evaluation = Evaluation()
    evaluation.add(pass(0.8, ["a": 1]))
    #expect(evaluation.observation(arm: 1, unit: .screen(fold: 0), rules: TrialRules(), control: 1).rows == nil)
    evaluation.add(pass(0.8))
    #expect(evaluation.observation(arm: 1, unit: .block(1), rules: TrialRules(), control: 1).rows == nil)
  }

  @Test func `units are written as they are read, and never share a seed`() {
    for unit in [Trials.Unit.screen(fold: 7), .block(3)] { #expect(Trials.Unit(unit.text) == unit) }
    #expect(Trials.Unit("block") == nil && Trials.Unit("night:1") == nil && Trials.Unit("block:x") == nil)
    let screened = (0..<50).flatMap { Trials.Unit.screen(fold: $0).splits(folds: 5, seed: 1) }
    let confirmed = (1...50).flatMap { Trials.Unit.block($0).splits(folds: 5, seed: 1) }
    #expect(screened.count == 50 && confirmed.count == 250)
    #expect(Set(screened.map(\.seed)).isDisjoint(with: confirmed.map(\.seed)))
    #expect(Set(screened).count == 50 && screened.map(\.fold).max() == 4 && screened.allSatisfy { $0.block == 0 })
  }

  @Test func `scores of rows are two lists of the same length, each row once`() throws {
    #expect(try RowScores(parsing: Array(#"{"rows":[2,"x"],"scores":[1,0.5]}"#.utf8)).byRow == ["2.0": 1, "x": 0.5])
    for text in [
      "[]", #"{"rows":[1]}"#, #"{"rows":[1],"scores":[]}"#, #"{"rows":[1,1],"scores":[1,1]}"#,
      #"{"rows":[1],"scores":["a"]}"#, #"{"rows":[null],"scores":[1]}"#, "{",
    ] {
      #expect(throws: RowScores.Malformed.self, "\(text)") { try RowScores(parsing: Array(text.utf8)) }
    }
  }

  @Test func `what is computed is remembered, the one used longest ago is forgotten first`() {
    let memory = ArmMemory(capacity: 2)
    let result = ArmMemory.Result(files: [], contextPatch: .object([:]), metrics: [:], cost: 1)
    #expect(memory.put(result, "a") == [] && memory.put(result, "b") == [])
    #expect(memory.result("a") != nil)
    #expect(memory.put(result, "c") == ["b"])
    #expect(memory.result("b") == nil && memory.result("a")?.cost == 1)
  }
}

/// How trials give way.
@Suite(.timeLimit(.minutes(1))) struct CourtesyTests {
  @Test func `what runs is told as soon as real work comes, and the next waits for its end`() async {
    let courtesy = Courtesy()
    let first = Cancellation()
    await courtesy.give(first) { courtesy.note(isBusy: true) }
    #expect(first.cause == .shutdown)
    let second = Cancellation()
    await courtesy.give(second) {}
    #expect(second.cause == .shutdown)
    async let waited: Void = courtesy.wait(on: ContinuousClock())
    courtesy.note(isBusy: false)
    await waited
    let third = Cancellation()
    await courtesy.give(third) {}
    #expect(third.cause == nil)
  }

  @Test func `an agent that stops keeps nobody waiting`() async {
    let courtesy = Courtesy()
    courtesy.note(isBusy: true)
    courtesy.stop()
    await courtesy.wait(on: ContinuousClock())
    #expect(courtesy.isStopping)
  }
}
