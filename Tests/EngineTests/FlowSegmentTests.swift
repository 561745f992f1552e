import Core
import Testing

@testable import Engine

@Suite struct FlowSegmentTests {
  @Test func `a stage that says nothing of its calls shares the lanes of the one before`() {
    let stages = [Each(from: "q", concurrency: 10), Each(), Each()]
    #expect(FlowSegment.of(stages) == [FlowSegment(stages: 0..<3, lanes: 10, batch: 1)])
  }

  @Test func `one that does has lanes of its own, and so has one that takes several items at once`() {
    let stages = [Each(from: "q"), Each(concurrency: 2), Each(), Each(batch: 5), Each()]
    #expect(
      FlowSegment.of(stages) == [
        FlowSegment(stages: 0..<1, lanes: 4, batch: 1), FlowSegment(stages: 1..<3, lanes: 2, batch: 1),
        FlowSegment(stages: 3..<4, lanes: 2, batch: 5), FlowSegment(stages: 4..<5, lanes: 2, batch: 1),
      ])
  }

  @Test func `every lane finds a whole batch inside its window`() {
    let segment = FlowSegment(stages: 0..<1, lanes: 4, batch: 100)
    #expect(segment.window >= 400 && segment.bound >= 400)
  }

  private func stage(_ name: String, _ needs: [String], each: Each? = Each()) -> Stage {
    Stage(name: name, program: ["/bin/true"], needs: needs, each: each)
  }

  private func chain(_ stages: [Stage], settled: Set<String> = []) -> [String] {
    FlowExecutor.chain(from: stages[0], in: Pipeline(name: "p", stages: stages), settled: settled).map(\.name)
  }

  @Test func `stages flow together as long as each takes the items of the one before and waits for nothing else`() {
    let (a, b) = (stage("a", [], each: Each(from: "q")), stage("b", ["a"]))
    #expect(chain([a, b, stage("c", ["b"])]) == ["a", "b", "c"])
    #expect(chain([a, stage("plain", ["a"], each: nil), stage("c", ["plain"])]) == ["a"])
    #expect(chain([a, b, stage("c", ["b", "other"])]) == ["a", "b"])
    #expect(chain([a, b, stage("c", ["b", "other"])], settled: ["other"]) == ["a", "b", "c"])
    #expect(chain([a, stage("own", ["a"], each: Each(from: "x"))]) == ["a"])
    var held = b
    held.when = "rows > 3"
    #expect(chain([a, held]) == ["a"])
    #expect(chain([stage("plain", [], each: nil), b]) == [])
  }
}
