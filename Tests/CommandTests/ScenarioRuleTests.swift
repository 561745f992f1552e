import Core
import Foundation
import Glibc
import TestSupport
import Testing

/// Rules and what is told of them, with the real program: DESIGN 9.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ScenarioRuleTests {
  private static let yaml = """
    pipeline: { name: p }
    trigger: { inbox: "*.csv" }
    targets: { max_latency: 1h, accuracy: 0.55 }
    stages:
      - { name: ingest, run: [./stages/ingest.sh] }
      - { name: train, run: [./stages/train.sh], granularity: auto, medium: { sample: 10% }, fine: { params: { m: 1 } } }
    rules:
      - { stage: train, when: "volume > 1000000 AND latency_p95 > 0.2", set: medium, why: "big and slow" }
    """

  private func workspace(rows: Int = 1_200_000, settings: String = "", yaml: String = yaml) throws -> ScenarioWorkspace
  {
    let place = try ScenarioWorkspace(settings: settings)
    try place.script("stages/ingest.sh", "echo '{\"data\":{\"rows\":\(rows),\"complexity\":0.9}}'")
    try place.script(
      "stages/train.sh", "cat > \"$PENSTOCK_HOME/told\"; sleep 0.3; echo '{\"metrics\":{\"accuracy\":0.9}}'")
    try place.write("pipelines/p.yaml", yaml)
    return place
  }

  private func once(_ place: ScenarioWorkspace, _ drop: String) async throws -> Attempt {
    try place.drop(drop)
    let up = try await place.penstock("up", "--once")
    #expect(up.code == 0, "\(up.output)\(up.complaints)")
    let run = try #require(try await place.runs().last)
    return try #require(try await place.attempts(run).last { $0.stage == "train" })
  }

  @Test func `a rule about volume and latency fires on the second run, and why says what it saw`() async throws {
    let place = try workspace()
    let first = try await once(place, "a.csv")
    // nothing is known of the latency yet
    #expect(first.granularity == GranularityOpinion(.standard, .coarse, reason: "nothing says otherwise"))
    let second = try await once(place, "b.csv")
    #expect(second.granularity.level == .medium && second.granularity.authority == .rule && second.sample == 0.1)
    #expect(second.granularity.reason.hasPrefix("rule 1: big and slow (volume 1,200,000, latency_p95 0.3"))
    #expect(place.text("told").contains("\"granularity\":\"medium\"") && place.text("told").contains("\"sample\":0.1"))
    let why = try await place.penstock("why", "last")
    #expect(why.output.contains("medium: rule 1: big and slow (volume 1,200,000, latency_p95 0.3"))
    #expect(try await place.penstock("show", "last").output.contains("rule 1: big and slow"))
    // what is fast only because it was sampled does not end the sampling
    #expect(try await once(place, "c.csv").granularity.level == .medium)
  }

  @Test func `little data is worked in full, however slow it was`() async throws {
    let place = try workspace(rows: 1000)
    _ = try await once(place, "a.csv")
    #expect(try await once(place, "b.csv").granularity.authority == .standard)
  }

  @Test func `the built-in rules go by the settings and by what is left of the target`() async throws {
    let yaml = Self.yaml.replacing("max_latency: 1h", with: "max_latency: 100ms").split(separator: "rules:")[0]
    let place = try workspace(rows: 5000, settings: "rules: { volume: 4000 }\n", yaml: String(yaml))
    _ = try await once(place, "a.csv")
    let second = try await once(place, "b.csv")
    #expect(second.granularity.level == .medium)
    #expect(second.granularity.reason.hasPrefix("built-in rule: much data and slow (volume 5,000, latency_p95 0.3"))
    // and a run that took longer than its target is told of
    #expect(try await place.penstock("show", "last").output.contains("`max_latency` is 100ms"))
    let status = try await place.penstock("status")
    #expect(status.output.contains("over its targets: took "))
  }

  @Test func `a fixed level and a person go before every rule`() async throws {
    let always = Self.yaml.replacing("volume > 1000000 AND latency_p95 > 0.2", with: "1")
    let place = try workspace(yaml: always)
    #expect(try await once(place, "a.csv").granularity.reason == "rule 1: big and slow")
    let run = try await place.penstock(
      "run", "p", "--input", place.path("told"), "--granularity", "train=fine", "--wait")
    #expect(run.code == 0, "\(run.complaints)")
    let last = try #require(try await place.runs().last)
    #expect(try await place.attempts(last).last?.granularity.authority == .override)
    try place.write("pipelines/p.yaml", always.replacing("granularity: auto", with: "granularity: fine"))
    #expect(try await once(place, "b.csv").granularity.authority == .fixed)
  }

  @Test func `an outcome that is taken from the run before has the level it was worked at, whatever a rule says now`()
    async throws
  {
    let last = "  - { name: last, run: [./stages/last.sh] }\nrules:"
    let place = try workspace(yaml: Self.yaml.replacing("rules:", with: last))
    try place.script("stages/last.sh", "exit 1")
    try place.drop("a.csv")
    #expect(try await place.penstock("up", "--once").code == 1)
    #expect(try await place.penstock("rerun", "1", "--failed-only").code == 1)
    let run = try #require(try await place.runs().last)
    let attempt = try #require(try await place.attempts(run).first { $0.stage == "train" })
    #expect(attempt.state == .cached && attempt.granularity.level == .coarse && attempt.sample == nil)
    #expect(attempt.granularity.reason == "nothing says otherwise, in run 1")
  }

  @Test func `status says at which level a stage is at work, and why`() async throws {
    let place = try workspace(yaml: Self.yaml.replacing("volume > 1000000 AND latency_p95 > 0.2", with: "volume > 9"))
    try place.script("stages/train.sh", "until [ -e \"$PENSTOCK_HOME/go\" ]; do sleep 0.05; done")
    let agent = try await place.up()
    try place.drop("a.csv")
    try await until("train to be at work: \(agent.text)") {
      try await place.penstock("status").output.contains("train medium: rule 1: big and slow (volume 1,200,000)")
    }
    try place.write("go", "")
    #expect(try await place.ended()[0].state == .done)
    _ = try await place.stop(agent)
  }

  @Test func `explain says of the first stage what its run gets: no stage before it said how many rows there are`()
    async throws
  {
    let rule =
      "rules: [ { stage: load, when: \"volume > 10\", set: fine }, { stage: load, when: \"volume IS NULL\", set: medium } ]"
    let place = try workspace(
      yaml: """
        pipeline: { name: p }
        trigger: { inbox: "*.csv" }
        stages: [ { name: load, run: [/bin/true], granularity: auto } ]
        \(rule)
        """)
    try place.write("big.csv", String(repeating: "1\n", count: 100))
    let answer = try await place.penstock("policy", "explain", "p", "--input", place.path("big.csv"), "--json")
    let stage = try JSON(parsing: Data(answer.output.utf8))["stages"]?.array?.first
    #expect(stage?["granularity"]?.string == "medium", "\(answer.output)\(answer.complaints)")
    let run = try await place.penstock("run", "p", "--input", place.path("big.csv"), "--wait")
    #expect(run.code == 0, "\(run.complaints)")
    let why = try await place.penstock("why", "last")
    #expect(why.output.contains("medium: rule 2"), "\(why.output)")
  }

  @Test func `explain says what each stage would get, with the facts, and runs nothing`() async throws {
    let place = try workspace()
    _ = try await once(place, "a.csv")
    try FileManager.default.removeItem(atPath: place.path("told"))
    try place.write("big.csv", "a\n" + String(repeating: "1\n", count: 1_000_001))
    let answer = try await place.penstock("policy", "explain", "p", "--input", place.path("big.csv"), "--json")
    #expect(answer.code == 0, "\(answer.complaints)")
    let stages = try JSON(parsing: Data(answer.output.utf8))["stages"]?.array ?? []
    #expect(stages.map { $0["granularity"]?.string } == ["coarse", "medium"])
    #expect(stages.map { $0["granularity_authority"]?.string } == ["fixed", "rule"])
    #expect(stages.last?["facts"]?["volume"]?.double == 1_000_001)
    #expect(stages.last?["facts"]?["bytes"]?.double == 2_000_004)
    #expect(stages.last?["facts"]?["accuracy"]?.double == 0.9)
    #expect(stages.last?["sample"]?.double == 0.1)
    let words = try await place.penstock("policy", "explain", "p", "--input", place.path("big.csv"))
    #expect(words.output.contains("rule 1: big and slow (volume 1,000,001, latency_p95 0.3"))
    #expect(!place.exists("told"))
    #expect(try await place.runs().count == 1)
    // without an agent a rule is tried as the file has it now; a file that is wrong leaves the last good version
    let yaml = place.text("pipelines/p.yaml").replacing("volume > 1000000", with: "volume > 2000000")
    try place.write("pipelines/p.yaml", yaml)
    #expect(
      try await !place.penstock("policy", "explain", "p", "--input", place.path("big.csv")).output.contains("rule 1"))
    try place.write("pipelines/p.yaml", yaml + "more: 1\n")
    #expect(
      try await place.penstock("policy", "explain", "p", "--input", place.path("big.csv")).output.contains("rule 1"))
  }

  @Test func `explain of what is no file says what it is`() async throws {
    let place = try workspace()
    #expect(mkfifo(place.path("pipe"), 0o600) == 0)
    for (name, words) in [
      ("stages", "stages`: it is a directory"), ("pipe", "pipe`: it is no regular file"),
      ("gone", "gone`: no such file"),
    ] {
      let answer = try await place.penstock("policy", "explain", "p", "--input", place.path(name))
      #expect(answer.code == 2 && answer.complaints.contains(words), "\(answer.code) \(answer.complaints)")
    }
  }

  @Test func `check tells where a condition is wrong, and which level a stage does not have`() async throws {
    let place = try ScenarioWorkspace()
    try place.write(
      "stages/k/s.yaml",
      "stage: k/s\nversion: 1.0.0\nsummary: s\nrun: [\"/bin/true\"]\ngranularity: { coarse: all, fine: some }\n")
    try place.write(
      "pipelines/p.yaml",
      """
      pipeline: { name: p }
      vars: { limit: 5 }
      stages:
        - { name: a, uses: k/s, granularity: auto }
        - { name: b, run: [/bin/true], granularity: auto }
      rules:
        - { stage: b, when: "volume > 1 AND rows > 2", set: fine }
        - { stage: a, when: "volume >", set: fine }
        - { stage: a, when: "volume > ${vars.limit}", set: medium }
        - { stage: "*", when: "1", set: medium }
        - { stage: b, when: "1) OR (1", set: fine }
        - { stage: b, when: "volume > ?1", set: fine }
        - { stage: b, when: ":x > 1", set: fine }
        - { stage: b, when: "1 < sum(volume)", set: fine }
        - { stage: b, when: "", set: fine }
      """)
    let check = try await place.penstock("check")
    #expect(check.code == 2)
    for words in [
      "pipelines/p.yaml:7:39: error: `when`: no such column: rows",
      "pipelines/p.yaml:8:32: error: `when`: it ends too early",
      "pipelines/p.yaml:9:54: error: stage `a` (`k/s`) does not support `medium` (sampled data)",
      "pipelines/p.yaml:10:35: warning: `a` does not support `medium`: there the next rule is asked",
      "pipelines/p.yaml:11:25: error: `when`: near `)`: syntax error",
      "pipelines/p.yaml:12:23: error: `when`: nobody fills in `?1`",
      "pipelines/p.yaml:13:23: error: `when`: nobody fills in `:x`",
      "pipelines/p.yaml:14:28: error: `when`: `sum()` goes over many rows, and a condition sees one",
      "pipelines/p.yaml:15:24: error: `when`: expected a condition, got nothing",
    ] { #expect(check.output.contains(words), "\(check.output)") }
    #expect(check.output.contains("8 errors") && check.output.contains("1 warning"))
  }
}
