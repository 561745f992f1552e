import Core
import Foundation
import Store
import Testing

/// Rules and the built-in set, with their conditions evaluated as they are in runs.
@Suite struct RuleBookTests {
  /// What one line of the table is about; the thresholds are the defaults, the target of the accuracy is 0.55.
  struct Line: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var volume: Int? = 1000
    var latency: Double? = 1
    var usage: Double? = 0.2
    var complexity: Double? = 0.1
    var accuracy: Double? = 0.9
    var priority: Targets.Priority?
    var level: Granularity?

    init(
      _ words: String, volume: Int? = 1000, latency: Double? = 1, usage: Double? = 0.2, complexity: Double? = 0.1,
      accuracy: Double? = 0.9, priority: Targets.Priority? = nil, gives level: Granularity?
    ) {
      testDescription = words
      self.volume = volume
      self.latency = latency
      self.usage = usage
      self.complexity = complexity
      self.accuracy = accuracy
      self.priority = priority
      self.level = level
    }

    func row(_ targets: Targets) -> Rule.Row {
      var facts = Facts()
      facts.measure(against: targets, elapsed: 0)
      facts.volume = volume
      facts.past.latencyP95 = latency
      facts.resourceUsage = usage
      facts.complexity = complexity
      facts.accuracy = accuracy
      return Rule.Row(RuleBookTests.condition, facts)
    }
  }

  static let condition = Condition.Row(
    run: Fixture.run(1), context: .object([:]), metrics: .object([:]), data: .object([:]), states: .object([:]))

  private static func answer(
    _ line: Line, _ targets: Targets, own: [Rule] = [], supports: Set<Granularity> = Set(Granularity.allCases)
  ) -> RuleBook.Answer {
    let pipeline = Pipeline(
      name: "fx", stages: [Stage(name: "train", program: ["x"], granularity: .auto)], targets: targets,
      rules: own.isEmpty ? nil : own)
    return RuleBook(pipeline, thresholds: Thresholds()).answer(
      on: "train", supports: { supports.contains($0) }, row: line.row(targets), holds: Rule.holds)
  }

  static let published: [Line] = [
    Line("1 much data and slow: sampled", volume: 1_000_001, latency: 60.1, gives: .medium),
    Line("2 much data, fast, over its resources: simplified", volume: 1_000_001, usage: 1.01, gives: .fine),
    Line("3 little data, slow, over its resources: simplified", latency: 60.1, usage: 1.01, gives: .fine),
    Line("4 complex and under its target: in full", complexity: 0.51, accuracy: 0.54, gives: .coarse),
    Line("5 complex, the target is met: no opinion", complexity: 0.51, accuracy: 0.55, gives: nil),
    Line("6 nothing is high: no opinion", gives: nil),
  ]

  static let edges: [Line] = [
    Line(
      "all at once: the first wins", volume: 2_000_000, latency: 99, usage: 2, complexity: 1, accuracy: 0,
      gives: .medium),
    Line("resources go before quality", usage: 2, complexity: 1, accuracy: 0, gives: .fine),
    Line(
      "what is at its threshold is not over it", volume: 1_000_000, latency: 60, usage: 1, complexity: 0.5,
      accuracy: 0.1, gives: nil),
    Line("much data alone", volume: 2_000_000, gives: nil), Line("slow alone", latency: 99, gives: nil),
    Line("under its target alone", accuracy: 0.1, gives: nil),
    Line("nothing is known", volume: nil, latency: nil, usage: nil, complexity: nil, accuracy: nil, gives: nil),
    Line("of the volume nothing is known", volume: nil, latency: 99, usage: 2, gives: .fine),
    Line("of the accuracy nothing is known", complexity: 1, accuracy: nil, gives: nil),
    Line(
      "quality first", volume: 2_000_000, latency: 99, usage: 2, complexity: 1, accuracy: 0, priority: .accuracy,
      gives: .coarse),
    Line(
      "quality first, and it is met", volume: 2_000_000, latency: 99, complexity: 1, priority: .accuracy, gives: .medium
    ),
    Line("speed first asks for nothing in full", complexity: 1, accuracy: 0, priority: .speed, gives: nil),
    Line("speed first, too slow", volume: 2_000_000, latency: 99, priority: .speed, gives: .medium),
  ]

  @Test(arguments: published) func `i: the published lines give the published levels`(line: Line) {
    let answer = Self.answer(line, Targets(accuracy: 0.55))
    #expect(answer.opinion?.level == line.level && answer.opinion?.authority ?? .rule == .rule)
    #expect(answer.broken == [])
  }

  @Test(arguments: edges) func `i: what lies between the published lines`(line: Line) {
    let answer = Self.answer(line, Targets(accuracy: 0.55, priority: line.priority))
    #expect(answer.opinion?.level == line.level)
  }

  @Test func `i: latency is high when what is left of the target does not suffice`() {
    func level(_ limit: Duration, elapsed: Double) -> Granularity? {
      let targets = Targets(maxLatency: limit)
      var row = Line("", volume: 2_000_000, latency: 10, gives: nil).row(targets)
      row.facts.measure(against: targets, elapsed: elapsed)
      row.facts.resourceUsage = nil
      let pipeline = Pipeline(name: "fx", stages: [Stage(name: "train", program: ["x"])], targets: targets)
      return RuleBook(pipeline, thresholds: Thresholds()).answer(
        on: "train", supports: { _ in true }, row: row, holds: Rule.holds
      ).opinion?.level
    }
    #expect(level(.seconds(15), elapsed: 4) == nil)
    #expect(level(.seconds(15), elapsed: 6) == .medium)
    #expect(level(.seconds(5), elapsed: 0) == .medium)
    #expect(level(.seconds(300), elapsed: 0) == nil)
  }

  @Test func `a level that the stage does not support lets the next rule be asked`() {
    let all = Line("", volume: 2_000_000, latency: 99, usage: 2, complexity: 1, accuracy: 0, gives: nil)
    #expect(Self.answer(all, Targets(accuracy: 0.55), supports: [.coarse, .fine]).opinion?.level == .fine)
    #expect(Self.answer(all, Targets(accuracy: 0.55), supports: [.coarse]).opinion?.level == .coarse)
  }

  @Test func `own rules come first, the first that holds decides, and the reason says what it saw`() {
    let own = [
      Rule(stage: "clean", when: "1", set: .off), Rule(stage: "*", when: "volume > 5000000", set: .fine),
      Rule(stage: "tr*", when: "volume > 1000000 AND LATENCY_P95 > 60", set: .off, why: "big and slow"),
      Rule(stage: "*", when: "1", set: .fine),
    ]
    let line = Line("", volume: 1_200_000, latency: 71.2, gives: nil)
    #expect(
      Self.answer(line, Targets(), own: own).opinion
        == GranularityOpinion(.rule, .off, reason: "rule 3: big and slow (volume 1,200,000, latency_p95 71.2)"))
    #expect(
      Self.answer(Line("", volume: 2, gives: nil), Targets(), own: own).opinion
        == GranularityOpinion(.rule, .fine, reason: "rule 4: 1"))
  }

  @Test func `only what rules for a stage ask for is read`() {
    func columns(_ rules: [Rule]) -> Set<String> {
      RuleBook(Pipeline(name: "p", stages: [], rules: rules), thresholds: Thresholds()).columns(for: "train")
    }
    let builtIn: Set = ["volume", "latency_p95", "remaining", "resource_usage"]
    #expect(columns([Rule(stage: "clean", when: "accuracy > 1", set: .fine)]) == builtIn)
    #expect(columns([Rule(stage: "tr*", when: "Accuracy > 1", set: .fine)]) == builtIn.union(["accuracy"]))
  }

  @Test func `a rule that cannot be evaluated holds nothing up, and is told of`() {
    let own = [Rule(stage: "*", when: "json_extract('{', '$')", set: .off), Rule(stage: "*", when: "1", set: .fine)]
    let answer = Self.answer(Line("", gives: nil), Targets(), own: own)
    #expect(answer.opinion?.level == .fine)
    #expect(answer.broken.count == 1 && answer.broken[0].hasPrefix("rule 1 cannot be evaluated: malformed JSON"))
  }

  @Test func `a condition sees every fact under its name`() throws {
    var facts = Facts()
    facts.volume = 1
    facts.complexity = 0.5
    facts.past.latencyP50 = 2
    facts.past.latencyP95 = 3
    facts.past.cpu = 1.5
    facts.past.memory = 4
    facts.resourceUsage = 0.25
    facts.elapsed = 5
    facts.remaining = -6
    facts.accuracy = 0.75
    facts.priority = .speed
    let row = Rule.Row(Self.condition, facts)
    let all =
      "volume = 1 AND complexity = 0.5 AND latency_p50 = 2 AND latency_p95 = 3 AND cpu = 1.5 AND memory = 4 AND "
      + "resource_usage = 0.25 AND elapsed = 5 AND remaining = -6 AND accuracy = 0.75 AND priority = 'speed' AND "
      + "bytes = 1 AND name = 'drop-1.csv' AND pipeline = 'fx'"
    #expect(Rule.problem(in: all) == nil)
    #expect(try Rule.holds(all, on: row))
    for name in Facts.columns {
      #expect(try !Rule.holds("\(name) IS NOT NULL", on: Rule.Row(Self.condition, Facts())), "\(name)")
    }
    #expect(Rule.problem(in: "rows > 1")?.reason == "no such column: rows")
    #expect(Rule.problem(in: "volume > 1 AND rows > 1")?.offset == 15)
  }
}
