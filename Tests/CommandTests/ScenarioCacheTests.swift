import Core
import Foundation
import Store
import Testing

/// What was worked once is not worked again, and `why` tells.
@Suite(.timeLimit(.minutes(5))) struct ScenarioCacheTests {
  /// `clean` and `train` are pure, `notify` is not; each notes that it was worked.
  private func place(settings: String = "") throws -> ScenarioWorkspace {
    let place = try ScenarioWorkspace(settings: settings)
    try place.script("stages/clean.sh", Self.stage("clean", "sort \"$1\" > clean.csv", output: "clean.csv"))
    try place.script(
      "stages/own/train.sh",
      Self.stage(
        "train", "{ echo \"$2\"; cat \"$1\"; } > model.txt", output: "model.txt", more: ",\"metrics\":{\"auc\":0.5}"))
    try place.write(
      "stages/own/train.yaml",
      """
      stage: own/train
      version: 1.0.0
      summary: Trains
      run: ["${kit}/own/train.sh", "${input}", "${params.model}"]
      params: { type: object, additionalProperties: false, properties: { model: { type: string, default: "" } } }
      granularity: { coarse: "all of it" }
      inputs: [data]
      outputs: [data]
      pure: true
      persistent: false
      files: ["own/train.sh"]
      """)
    try place.script("stages/notify.sh", "cat > /dev/null; echo notify >> \"$PENSTOCK_HOME/worked\"")
    try place.write("pipelines/p.yaml", Self.pipeline())
    return place
  }

  private static func stage(_ name: String, _ body: String, output: String, more: String = "") -> String {
    """
    cat > /dev/null; echo \(name) >> "$PENSTOCK_HOME/worked"
    \(body)
    printf '{"outputs":[{"name":"data","path":"\(output)"}],"context":{"\(name)":true}\(more)}'
    """
  }

  private static func pipeline(model: String = "boosted", label: String = "") -> String {
    """
    pipeline: { name: p }
    vars: { model: \(model) }
    trigger: { inbox: "*.csv" }
    stages:
      - { name: clean, run: ["./stages/clean.sh", "${input}"], pure: true, params: { label: "\(label)" } }
      - { name: train, uses: own/train, params: { model: "${vars.model}" } }
      - { name: notify, run: ["./stages/notify.sh"] }
    """
  }

  /// What was worked since this was asked last.
  private func worked(_ place: ScenarioWorkspace) -> [String] {
    defer { try? FileManager.default.removeItem(atPath: place.path("worked")) }
    return place.text("worked").split(separator: "\n").map(String.init)
  }

  private func again(_ place: ScenarioWorkspace, _ words: String...) async throws {
    let ended = try await place.start(["run", "p"] + words).end()
    #expect(ended.code == 0, "\(ended.complaints)\(place.tail)")
  }

  private func states(_ place: ScenarioWorkspace) async throws -> [AttemptState] {
    let run = try #require(try await place.runs().last)
    return try await place.attempts(run).map(\.state)
  }

  private func why(_ place: ScenarioWorkspace, _ stage: String) async throws -> String {
    let ended = try await place.penstock("why", "last", stage, "--json")
    let stages = ended.json["stages"] as? [[String: Any]] ?? []
    return stages.first?["why"] as? String ?? "nothing: \(ended.output)"
  }

  @Test func `4e: a second run on the same drop comes from the cache, but for what is not pure, and why tells`()
    async throws
  {
    let place = try place()
    try place.drop("a.csv", "b\na\n")
    #expect(try await place.penstock("up", "--once").code == 0)
    #expect(worked(place) == ["clean", "train", "notify"])
    #expect(try await why(place, "clean") == "ran: nothing like it is remembered")
    #expect(try await why(place, "notify") == "ran: not pure")

    try await again(place)
    #expect(worked(place) == ["notify"])
    #expect(try await states(place) == [.cached, .cached, .ok])
    #expect(try await why(place, "train").hasPrefix("cached: same as run 1; it took "))
    #expect(try await why(place, "notify") == "ran: not pure")
    let runs = try await place.runs()
    let first = try await place.reader { try await $0.artifacts(of: runs[0].id) }
    let second = try await place.reader { try await $0.artifacts(of: runs[1].id) }
    #expect(first == second && first.count == 2)
    for artifact in second {
      #expect(
        place.text("var/runs/\(runs[1].id)/\(artifact.path)") == place.text("var/runs/\(runs[0].id)/\(artifact.path)"))
    }
    let attempts = try await place.attempts(runs[1])
    #expect(attempts[1].metrics == ["auc": 0.5] && attempts[1].usage == nil)
    #expect(attempts.map(\.contextPatches) == [[["clean": true]], [["train": true]], []])
    // the newest that has it: an older one may be forgotten
    try await again(place)
    #expect(try await why(place, "clean").hasPrefix("cached: same as run 2"))
  }

  @Test func `4e: one changed parameter reruns its stage and what depends on it, and no other`() async throws {
    let place = try place()
    try place.drop("a.csv", "b\na\n")
    #expect(try await place.penstock("up", "--once").code == 0)
    _ = worked(place)
    try await again(place, "--set", "model=ridge")
    #expect(worked(place) == ["train", "notify"])
    #expect(try await why(place, "train") == "ran: `params.model` differs from run 1: \"ridge\", was \"boosted\"")
    // what comes out is the same, so what depends on it has nothing new
    try place.write("pipelines/p.yaml", Self.pipeline(label: "x"))
    try await again(place)
    #expect(worked(place) == ["clean", "notify"])
    #expect(try await why(place, "clean") == "ran: `params.label` differs from run 2: \"x\", was \"\"")
    #expect(try await why(place, "train").hasPrefix("cached: same as run 1"))
    // one that changes its output has the next worked too
    try place.drop("c.csv", "c\nb\na\n")
    #expect(try await place.penstock("up", "--once").code == 0)
    #expect(worked(place) == ["clean", "train", "notify"])
    #expect(try await why(place, "train") == "ran: the input `data` of `clean` has other content than in run 3")
  }

  @Test func `4e: a script that was edited is worked again, named by the pipeline or by a manifest`() async throws {
    let place = try place()
    try place.drop("a.csv", "b\na\n")
    #expect(try await place.penstock("up", "--once").code == 0)
    _ = worked(place)
    try place.script("stages/own/train.sh", Self.stage("train", "cp \"$1\" model.txt", output: "model.txt"))
    try await again(place)
    #expect(worked(place) == ["train", "notify"])
    #expect(try await why(place, "train") == "ran: the file `own/train.sh` is not as in run 1")
    try place.script("stages/clean.sh", Self.stage("clean", "sort -r \"$1\" > clean.csv", output: "clean.csv"))
    try await again(place)
    #expect(worked(place) == ["clean", "train", "notify"])
    #expect(try await why(place, "clean") == "ran: the file `stages/clean.sh` is not as in run 2")
  }

  @Test func `without the cache every stage is worked, and remembered anew`() async throws {
    let place = try place()
    try place.drop("a.csv")
    #expect(try await place.penstock("up", "--once").code == 0)
    _ = worked(place)
    try await again(place, "--no-cache")
    #expect(worked(place) == ["clean", "train", "notify"])
    #expect(try await why(place, "clean") == "ran: --no-cache")
    try await again(place)
    #expect(worked(place) == ["notify"])
    #expect(try await why(place, "clean").hasPrefix("cached: same as run 2"))
  }

  @Test(arguments: [true, false])
  func `an outcome whose file was changed or removed is worked again, with a warning`(isRemoved: Bool) async throws {
    let place = try place()
    try place.drop("a.csv", "b\na\n")
    #expect(try await place.penstock("up", "--once").code == 0)
    _ = worked(place)
    let run = try #require(try await place.runs().first)
    let file = "var/runs/\(run.id)/clean/clean.csv"
    // as many bytes as before
    if isRemoved {
      try FileManager.default.removeItem(atPath: place.path(file))
    } else {
      try place.write(file, "b\nX\n")
    }
    try await again(place)
    #expect(worked(place) == ["clean", "notify"])
    #expect(place.logged("what is remembered of the stage cannot be used; it is worked").count == 1, "\(place.tail)")
    let words = try await why(place, "clean")
    #expect(
      words.hasPrefix("ran: what run 1 left cannot be used: `var/runs/")
        && words.contains(isRemoved ? "not there any more" : "was changed since it was published"), "\(words)")
    #expect(place.text("var/runs/\(try #require(try await place.runs().last).id)/clean/clean.csv") == "a\nb\n")
  }

  @Test func `what failed is not remembered`() async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(
      stages: [("only", "cat > /dev/null; echo x >> \"$PENSTOCK_HOME/worked\"; [ -e \"$PENSTOCK_HOME/fixed\" ]")],
      more: "    pure: true\n")
    try place.drop("a.csv")
    #expect(try await place.penstock("up", "--once").code == 1)
    #expect(try await place.penstock("retry", "1").code == 1)
    try place.write("fixed", "")
    #expect(try await place.penstock("retry", "2").code == 0)
    #expect(worked(place).count == 3)
    #expect(
      try await why(place, "only") == "ran: what run 2 left is not in the cache: it failed there, or was cleared away")
  }

  @Test func `hooks are called for a stage from the cache, and one that denies it counts`() async throws {
    let place = try place()
    try place.drop("a.csv")
    #expect(try await place.penstock("up", "--once").code == 0)
    try place.script("hooks/before-clean.d/10-note", "cat > /dev/null; echo before >> \"$PENSTOCK_HOME/called\"")
    try place.script(
      "hooks/after-clean.d/10-note",
      "grep -o '\"state\":\"[a-z]*\"' >> \"$PENSTOCK_HOME/called\"; [ ! -e \"$PENSTOCK_HOME/deny\" ] || exit 2")
    try await again(place)
    #expect(place.text("called") == "before\n\"state\":\"cached\"\n")
    try place.write("deny", "")
    #expect(try await place.penstock("run", "p").code == 1)
    #expect(try await states(place) == [.denied])
    try FileManager.default.removeItem(atPath: place.path("deny"))
    try await again(place)
    #expect(try await states(place) == [.cached, .cached, .ok])
  }

  @Test func `a parameter that a hook patches is part of the key`() async throws {
    let place = try place()
    try place.drop("a.csv")
    #expect(try await place.penstock("up", "--once").code == 0)
    _ = worked(place)
    try place.script(
      "hooks/before-train.d/10-cap", "cat > /dev/null; printf '{\"patch\":{\"params\":{\"model\":\"ridge\"}}}'")
    try await again(place)
    #expect(worked(place) == ["train", "notify"])
    #expect(try await why(place, "train") == "ran: `params.model` differs from run 1: \"ridge\", was \"boosted\"")
  }

  @Test func `what gc cleared away is out of the cache too, without a warning`() async throws {
    let place = try place(settings: "retention: { artifacts: 1s }\n")
    for (name, text) in [("a.csv", "b\na\n"), ("b.csv", "d\nc\n")] {
      try place.drop(name, text)
      #expect(try await place.penstock("up", "--once").code == 0)
    }
    _ = worked(place)
    let first = try #require(try await place.runs().first)
    try await until("gc to clear run 1 away") {
      _ = try await place.penstock("gc")
      return !place.exists("var/runs/\(first.id)")
    }
    #expect(try await place.penstock("rerun", "1").code == 0)
    #expect(worked(place) == ["clean", "train", "notify"])
    #expect(place.logged("what is remembered of the stage cannot be used; it is worked").isEmpty)
    #expect(
      try await why(place, "clean") == "ran: what run 1 left is not in the cache: it failed there, or was cleared away")
  }

  @Test func `a condition does not see where an outcome came from`() async throws {
    let place = try place()
    try place.write(
      "pipelines/p.yaml",
      Self.pipeline().replacing("notify.sh\"]", with: "notify.sh\"], when: \"states ->> 'train' = 'ok'\""))
    try place.drop("a.csv")
    #expect(try await place.penstock("up", "--once").code == 0)
    _ = worked(place)
    try await again(place)
    #expect(worked(place) == ["notify"])
    #expect(try await states(place) == [.cached, .cached, .ok])
  }
}
