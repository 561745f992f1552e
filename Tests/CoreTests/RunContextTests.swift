import Core
import Testing

@Suite struct RunContextTests {
  private func stage(_ name: String, _ needs: [String] = []) -> Stage {
    Stage(name: name, program: ["x"], needs: needs)
  }

  private var stages: [Stage] {
    [stage("a"), stage("left", ["a"]), stage("right", ["a"]), stage("join", ["left", "right"])]
  }

  @Test func `a stage sees what it builds on, in the order of the pipeline, and no other branch`() {
    var context = RunContext(["who": "hook"], stages: stages)
    context.add([["from": "right", "right": 1]], from: "right")
    context.add([["from": "left", "who": .null]], from: "left")
    context.add([["from": "a"]], from: "a")
    #expect(context.seen(by: stages[0]) == ["who": "hook", "from": "a"])
    #expect(context.seen(by: stages[1]) == ["from": "left"])
    #expect(context.seen(by: stages[2]) == ["who": "hook", "from": "right", "right": 1])
    #expect(context.seen(by: stages[3]) == ["from": "right", "right": 1])
    #expect(context.whole == context.seen(by: stages[3]))
    #expect(context.changedBase == nil)
  }

  @Test func `a hook before the run changes it for all, and that is recorded`() {
    var context = RunContext(.object([:]), stages: stages)
    context.patch(["k": 1])
    #expect(context.seen(by: stages[2]) == ["k": 1] && context.changedBase == ["k": 1])
  }
}
