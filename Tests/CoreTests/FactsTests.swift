import Core
import Foundation
import Testing

/// What rules are told of the past, and in which words a reason tells of it.
@Suite struct FactsTests {
  private func attempt(wall: Double, cpu: Double = 0, memory: Int? = nil, span: Double? = nil) -> Attempt {
    var chance = SystemRandomNumberGenerator()
    let noon = Date(timeIntervalSince1970: 1_763_640_000)
    return Attempt(
      run: RunID(now: noon, using: &chance), stage: "s", n: 1, state: .ok,
      granularity: GranularityOpinion(.fixed, .coarse, reason: ""), seed: 1, started: noon,
      ended: noon + (span ?? wall), usage: ResourceUsage(wall: wall, cpu: cpu, peakRSS: memory), boot: "b")
  }

  @Test(arguments: [
    (50, [1, 2, 3, 4], 2), (95, Array(1...20), 19), (95, Array(1...19), 19), (95, [7], 7), (50, [3, 1, 2], 2),
    (100, [1, 2], 2),
  ]) func `a percentile is the nearest rank`(percent: Int, values: [Int], expected: Int) {
    #expect(StagePast.percentile(percent, of: values) == expected)
    #expect(StagePast.percentile(percent, of: [Int]()) == nil)
  }

  @Test func `the past is that of the worst of twenty attempts but one`() {
    let past = StagePast((1...20).map { attempt(wall: Double($0), cpu: Double($0) * 1.5, memory: $0 << 20) })
    #expect(past.latencyP50 == 10 && past.latencyP95 == 19 && past.memory == 19 << 20 && past.cpu == 1.5)
    #expect(StagePast([]) == StagePast())
  }

  @Test func `calls that overlap count no longer than their attempt, and a moment says nothing of CPU`() {
    #expect(StagePast([attempt(wall: 40, cpu: 20, span: 10)]).latencyP95 == 10)
    #expect(StagePast([attempt(wall: 40, cpu: 20, span: 10)]).cpu == 2)
    #expect(StagePast([attempt(wall: 0.01, cpu: 0.02)]).cpu == nil)
  }

  @Test func `resource usage is the larger share of what the targets allow`() {
    var facts = Facts()
    facts.past.cpu = 1.5
    facts.past.memory = 3 << 30
    func usage(_ targets: Targets?) -> Double? {
      facts.measure(against: targets, elapsed: 1)
      return facts.resourceUsage
    }
    #expect(usage(Targets(cpu: 3, memory: 2 << 30)) == 1.5)
    #expect(usage(Targets(cpu: 0.5, memory: 2 << 30)) == 3)
    #expect(usage(Targets(cpu: 3)) == 0.5)
    #expect(usage(nil) == nil)
    facts.measure(against: Targets(maxLatency: .seconds(60)), elapsed: 70)
    #expect(facts.remaining == -10 && facts.elapsed == 70)
  }

  @Test func `names in a condition are found, and text is none`() {
    let rule = Rule(
      stage: "*", when: "Volume>1 AND latency_p95 > 2 AND name <> 'accuracy it''s cpu' AND data ->> 'x' > cpus",
      set: .fine)
    #expect(rule.mentioned == ["name", "data", "volume", "latency_p95"])
  }

  @Test(arguments: [(0, "0"), (999, "999"), (1000, "1,000"), (-1_234_567, "-1,234,567"), (12_345, "12,345")])
  func `whole numbers are grouped`(number: Int, text: String) { #expect(Facts.text(number) == text) }

  @Test func `other numbers have four digits that count`() {
    #expect([71.2, 0.5, 1.0 / 3, 12345.6].map { Facts.text($0) } == ["71.2", "0.5", "0.3333", "12,346"])
  }

  @Test func `what went over its target is told in words`() {
    var chance = SystemRandomNumberGenerator()
    let noon = Date(timeIntervalSince1970: 0)
    var run = Run(id: RunID(now: noon, using: &chance), pipeline: "p", version: nil, trigger: .manual, created: noon)
    run.ended = noon + 90
    var attempt = attempt(wall: 10, cpu: 20, memory: 3 << 20)
    attempt.metrics = ["accuracy": 0.5]
    let targets = Targets(maxLatency: .seconds(60), cpu: 1.5, memory: 2 << 20, accuracy: 0.55)
    #expect(
      targets.misses(of: run, [attempt], metric: "accuracy") == [
        "took 1m30s, `max_latency` is 1m", "`s` used 200% CPU, `cpu` is 150%", "`s` used 3.0 MiB, `memory` is 2.0 MiB",
        "`accuracy` is 0.5, under the target 0.55",
      ])
    run.ended = noon + 60
    attempt.usage = ResourceUsage(wall: 10, cpu: 15, peakRSS: 2 << 20)
    attempt.metrics = ["accuracy": 0.55]
    #expect(targets.misses(of: run, [attempt], metric: "accuracy") == [])
  }
}
