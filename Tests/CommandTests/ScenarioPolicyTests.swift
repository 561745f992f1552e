import Core
import Foundation
import Store
import TestSupport
import Testing

/// What is in force for `auto` stages, with the real program: promise 7.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ScenarioPolicyTests {
  private func workspace() throws -> ScenarioWorkspace {
    let place = try ScenarioWorkspace()
    try place.script("stages/train.sh", "cat > \"$PENSTOCK_HOME/told\"")
    try place.script("hooks/on-verdict.d/10-note", "cat >> \"$PENSTOCK_HOME/verdicts\"")
    try place.write(
      "pipelines/p.yaml",
      """
      pipeline: { name: p }
      trigger: { inbox: "*.csv" }
      stages:
        - { name: check, run: [/bin/true] }
        - { name: train, run: [./stages/train.sh], granularity: auto }
        - { name: report, run: [/bin/true], granularity: auto }
      """)
    return place
  }

  private func once(_ place: ScenarioWorkspace, _ drop: String) async throws -> [GranularityOpinion] {
    try place.drop(drop)
    let up = try await place.penstock("up", "--once")
    #expect(up.code == 0, "\(up.output)\(up.complaints)")
    return try await place.attempts(try #require(try await place.runs().last)).map(\.granularity)
  }

  /// As a trial would.
  private func promote(_ place: ScenarioWorkspace) async throws {
    #expect(try await place.penstock("policy", "pin", "p", "train=fine").code == 0)
    let pin = try await place.reader { try #require(try await $0.policy(of: "p").pin) }
    #expect(try await place.penstock("policy", "unpin", "p").code == 0)
    let store = try StateStore(path: place.path("var/state.db"))
    _ = try await store.promote(
      "p", ["train": .fine, "report": .coarse], trial: 3, basis: pin.basis, reason: "as good, half the cost", at: Date()
    )
    try store.close()
  }

  @Test func `a pin holds from the next run on, with an agent and without one, until it is let go`() async throws {
    let place = try workspace()
    let alone = try await place.penstock("policy", "pin", "p", "train=fine", "--json")
    #expect(alone.code == 0, "\(alone.complaints)")
    let step = try JSON(parsing: Data(alone.output.utf8))["policy"]
    #expect(step?["state"] == "pinned" && step?["levels"] == ["train": "fine", "report": "coarse"])
    var levels = try await once(place, "a.csv")
    #expect(levels.map(\.level) == [.coarse, .fine, .coarse])
    #expect(levels.map(\.authority) == [.fixed, .policy, .policy])
    #expect(levels[1].reason.hasPrefix("policy pinned by a person since "))
    #expect(try await place.penstock("why", "last").output.contains("fine: policy pinned by a person"))

    let agent = try await place.up()
    #expect(try await place.penstock("policy", "pin", "p", "train=off").code == 0)
    try place.drop("b.csv")
    try await place.ended(2)
    levels = try await place.attempts(try #require(try await place.runs().last)).map(\.granularity)
    #expect(levels[1].level == .off)
    let status = try JSON(parsing: Data(try await place.penstock("status", "--json").output.utf8))
    #expect(status["policies"]?.array?.first?["state"] == "pinned")
    #expect(status["policies"]?.array?.first?["in_force"] == ["train": "off", "report": "coarse"])
    #expect(try await place.penstock("policy", "unpin", "p").code == 0)
    let again = try await place.penstock("policy", "unpin", "p")
    #expect(again.code != 0 && again.complaints.contains("nothing is pinned for `p`"))
    _ = try await place.stop(agent)
    #expect(try await once(place, "c.csv").map(\.authority) == [.fixed, .standard, .standard])
  }

  @Test func `what cannot be pinned is refused in words`() async throws {
    let place = try workspace()
    for (arguments, words) in [
      (["p", "check=fine"], "stage `check` is not `auto`"), (["p", "trian=fine"], "did you mean `train`?"),
      (["q", "train=fine"], "no pipeline `q`; there are `p`"), (["p"], "nothing is in force for `p`"),
      (["p", "train=fast"], "expected coarse, medium, fine or off"),
      (["p", "train=fine", "train=medium"], "gives `train` two values, `fine` and `medium`: name it once"),
    ] {
      let answer = try await place.start(["policy", "pin"] + arguments).end()
      #expect(answer.code != 0 && answer.complaints.contains(words), "\(answer.complaints)")
    }
    let policies = try await place.penstock("policy", "--json")
    #expect(try JSON(parsing: Data(policies.output.utf8))["policies"]?.array?.first?["state"] == .null)
  }

  @Test func `h: a changed program takes the policy back to coarse, once, and why says what has changed`() async throws
  {
    let place = try workspace()
    _ = try await once(place, "a.csv")
    try await promote(place)
    let before = try await once(place, "b.csv")
    #expect(before.map(\.level) == [.coarse, .fine, .coarse] && before[1].reason.hasPrefix("policy of trial 3 since "))
    #expect(try await place.penstock("why", "last").output.contains("fine: policy of trial 3 since "))
    #expect(!place.exists("verdicts"))

    try place.script("stages/train.sh", "cat > \"$PENSTOCK_HOME/told\" # better")
    #expect(try await place.penstock("policy").output.contains("the next run takes it back: `stages/train.sh`"))
    let explained = try await place.penstock("policy", "explain", "p")
    #expect(explained.output.contains("`stages/train.sh` of stage `train` has changed"), "\(explained.output)")
    for drop in ["c.csv", "d.csv"] {
      let after = try await once(place, drop)
      #expect(after[1].level == .coarse && after[1].authority == .policy)
      let why = try await place.penstock("why", "last")
      #expect(why.output.contains("`stages/train.sh` of stage `train` has changed"), "\(why.output)")
    }
    let verdict = try JSON(parsing: Data(place.bytes("verdicts")))
    #expect(verdict["event"] == "on-verdict" && verdict["verdict"]?["state"] == "demoted")
    #expect(verdict["verdict"]?["levels"] == ["train": "fine", "report": "coarse"])
    #expect(place.logged("policy is taken back; everything is coarse").count == 1)
    let steps = try await place.reader { try await $0.policySteps(of: "p", limit: 9) }
    #expect(steps.map(\.state) == [.demoted, .inForce, .unpinned, .pinned])
    let shown = try await place.penstock("status")
    #expect(shown.output.contains("was taken back"), "\(shown.output)")
  }

  @Test(arguments: [
    ("parameters", "{ name: train, run: [./stages/train.sh], granularity: auto, params: { a: 1 } }"),
    ("levels", "{ name: train, run: [./stages/train.sh], granularity: auto, fine: { params: { a: 1 } } }"),
    (
      "a stage before",
      "{ name: more, run: [/bin/true] }\n  - { name: train, run: [./stages/train.sh], granularity: auto }"
    ),
  ]) func `h: other definitions take it back too`(what: String, stage: String) async throws {
    let place = try workspace()
    _ = try await once(place, "a.csv")
    try await promote(place)
    let yaml = place.text("pipelines/p.yaml")
    // how a stage is run is no part of what it is
    try place.write("pipelines/p.yaml", yaml.replacing("granularity: auto", with: "granularity: auto, timeout: 9m"))
    #expect(try await once(place, "b.csv").contains { $0.level == .fine })
    try place.write(
      "pipelines/p.yaml", yaml.replacing("{ name: train, run: [./stages/train.sh], granularity: auto }", with: stage))
    #expect(try await once(place, "c.csv").allSatisfy { $0.level == .coarse })
    #expect(place.exists("verdicts"))
  }

  @Test func `a pin stays when a program changes, and status warns of it`() async throws {
    let place = try workspace()
    // a program behind two links, as the interpreter of a virtual environment is
    for (link, target) in [("stages/link", "other"), ("stages/other", "train.sh")] {
      try FileManager.default.createSymbolicLink(atPath: place.path(link), withDestinationPath: target)
    }
    try place.write(
      "pipelines/p.yaml", place.text("pipelines/p.yaml").replacing("stages/train.sh", with: "stages/link"))
    #expect(try await place.penstock("policy", "pin", "p", "train=fine").code == 0)
    #expect(try await !place.penstock("status").output.contains("since it was pinned"))
    try place.script("stages/train.sh", "cat > \"$PENSTOCK_HOME/told\" # better")
    #expect(try await once(place, "a.csv")[1].level == .fine)
    let status = try await place.penstock("status")
    #expect(
      status.output.contains("since it was pinned `stages/link` of stage `train` has changed"), "\(status.output)")
    #expect(!place.exists("verdicts"))
    // an agent tells it itself, for it has read the files before
    let agent = try await place.up()
    let live = try JSON(parsing: Data(try await place.penstock("status", "--json").output.utf8))
    #expect(
      live["policies"]?.array?.first?["changes"] == ["`stages/link` of stage `train` has changed"])
    _ = try await place.stop(agent)
  }
}
