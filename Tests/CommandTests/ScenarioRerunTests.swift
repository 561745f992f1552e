import Core
import Foundation
import Store
import Testing

/// An ended run again: whole, from a stage on, or only what failed.
@Suite(.timeLimit(.minutes(5))) struct ScenarioRerunTests {
  /// Three stages in a row that note what they were told; none is pure.
  private func place(last: String = "") throws -> ScenarioWorkspace {
    let place = try ScenarioWorkspace()
    try place.pipeline(
      stages: [("one", Self.stage("one")), ("two", Self.stage("two")), ("three", last + "\n" + Self.stage("three"))])
    return place
  }

  private static func stage(_ name: String) -> String {
    """
    grep -o '"context":{[^}]*}' > context; echo "\(name) $(cat context)" >> "$PENSTOCK_HOME/worked"
    date +%N > out.txt
    printf '{"outputs":[{"name":"data","path":"out.txt"}],"context":{"\(name)":1}}'
    """
  }

  private func worked(_ place: ScenarioWorkspace) -> [String] {
    defer { try? FileManager.default.removeItem(atPath: place.path("worked")) }
    return place.text("worked").split(separator: "\n").map(String.init)
  }

  private func artifact(_ place: ScenarioWorkspace, _ run: Run, _ stage: String) -> String {
    place.text("var/runs/\(run.id)/\(stage)/out.txt")
  }

  @Test(arguments: [true, false])
  func `from a stage on, what is before it is taken as it is, with and without an agent`(hasAgent: Bool) async throws {
    let place = try place()
    try place.drop("a.csv")
    #expect(try await place.penstock("up", "--once").code == 0)
    _ = worked(place)
    let agent = hasAgent ? try await place.up() : nil
    let rerun = try await place.penstock("rerun", "1", "--from", "three", "--wait")
    #expect(
      rerun.code == 0 && rerun.output.hasSuffix("run 2 done\n"), "\(rerun.output)\(rerun.complaints)\(place.tail)")
    #expect(rerun.complaints.contains("run 2 repeats run 1 with the same version of `p`"), "\(rerun.complaints)")
    #expect(worked(place) == ["three \"context\":{\"one\":1,\"two\":1}"])
    var runs = try await place.runs()
    #expect(runs[1].rerunOf == runs[0].id && runs[1].drop == nil && runs[1].options.from == "three")
    let attempts = try await place.attempts(runs[1])
    #expect(attempts.map(\.state) == [.cached, .cached, .ok])
    #expect(attempts[0].reason == "from run 1, asked for with --from")
    #expect(artifact(place, runs[1], "two") == artifact(place, runs[0], "two"))
    #expect(artifact(place, runs[1], "three") != artifact(place, runs[0], "three"))
    #expect(place.filed("done") == [runs[0].id.text: ["a.csv"]])
    #expect(try await place.penstock("why", "2", "two").output.contains("cached: from run 1, asked for with --from"))
    #expect(try await place.penstock("show", "2").output.contains("from three on"))

    // one that has no drop itself leads to the one that has
    #expect(try await place.penstock("rerun", "2", "--wait", "--json").json["state"] as? String == "done")
    #expect(worked(place).count == 3)
    runs = try await place.runs()
    #expect(runs[2].rerunOf == runs[1].id)
    if let agent { #expect(try await place.stop(agent).code == 0) }
  }

  @Test func `only what failed is worked again, on a copy of the drop, and the old run is acknowledged`() async throws {
    let place = try place(last: "[ -e \"$PENSTOCK_HOME/fixed\" ] || exit 1")
    try place.drop("a.csv")
    #expect(try await place.penstock("up", "--once").code == 1)
    _ = worked(place)
    try place.write("fixed", "")
    let rerun = try await place.penstock("rerun", "last", "--failed-only")
    #expect(rerun.code == 0, "\(rerun.complaints)\(place.tail)")
    #expect(worked(place) == ["three \"context\":{\"one\":1,\"two\":1}"])
    let runs = try await place.runs()
    #expect(runs.map(\.state) == [.failed, .done] && runs[0].acknowledged != nil && runs[1].options.failedOnly)
    #expect(
      try await place.attempts(runs[1]).map(\.reason) == [
        "from run 1, asked for with --failed-only", "from run 1, asked for with --failed-only", nil,
      ])
    #expect(place.filed("done") == [runs[1].id.text: ["a.csv"]])
    let refused = try await place.penstock("rerun", "1")
    #expect(
      refused.code == 2 && refused.complaints.contains("was tried again already, as run 2"), "\(refused.complaints)")
    let whole = try await place.penstock("rerun", "2", "--failed-only")
    #expect(whole.code == 2 && whole.complaints.contains("every stage of run 2 ended well"), "\(whole.complaints)")
  }

  @Test func `an artifact that is gone or changed ends the run with words that say how to go on`() async throws {
    let place = try place()
    try place.drop("a.csv")
    #expect(try await place.penstock("up", "--once").code == 0)
    let run = try #require(try await place.runs().first)
    try place.write("var/runs/\(run.id)/two/out.txt", "another")
    let rerun = try await place.penstock("rerun", "1", "--from", "three")
    #expect(rerun.code == 1)
    let reason = try #require(try await place.runs().last?.reason)
    #expect(
      reason.hasPrefix(
        "stage `two` failed: what run 1 left cannot be taken: `var/runs/\(run.id)/two/out.txt` was changed")
        && reason.hasSuffix("`penstock rerun 1 --from two` works it again"), "\(reason)")
    try FileManager.default.removeItem(atPath: place.path("var/runs/\(run.id)/two/out.txt"))
    #expect(try await place.penstock("rerun", "1", "--from", "three").code == 1)
    #expect(try await place.runs().last?.reason?.contains("two/out.txt` is not there any more") == true)
    #expect(try await place.penstock("rerun", "1", "--from", "two").code == 0)
  }

  @Test func `a rerun uses the pipeline in force and other values, or the version of the old run`() async throws {
    let place = try ScenarioWorkspace()
    func write(_ model: String) throws {
      try place.write(
        "pipelines/p.yaml",
        """
        pipeline: { name: p }
        vars: { model: \(model) }
        trigger: { inbox: "*.csv" }
        stages: [{ name: s, run: ["./s.sh", "${params.model}"], params: { model: "${vars.model}" } }]
        """)
    }
    try place.script("s.sh", "cat > /dev/null; echo \"$1\" >> \"$PENSTOCK_HOME/worked\"")
    try write("a")
    try place.drop("a.csv")
    #expect(try await place.penstock("up", "--once").code == 0)
    try write("b")
    let rerun = try await place.penstock("rerun", "1")
    #expect(rerun.code == 0 && rerun.complaints.contains("`p` as it is now, which is not what run 1 had"))
    #expect(try await place.penstock("rerun", "1", "--same-version").code == 0)
    #expect(try await place.penstock("rerun", "1", "--set", "model=c").code == 0)
    #expect(worked(place) == ["a", "b", "a", "c"])
    let unknown = try await place.penstock("rerun", "1", "--set", "modle=c")
    #expect(unknown.code == 2 && unknown.complaints.contains("no variable `modle`"), "\(unknown.complaints)")
  }

  @Test func `what cannot be repeated is refused in words, and nothing is begun`() async throws {
    let place = try place()
    try place.drop("a.csv")
    #expect(try await place.penstock("up", "--once").code == 0)
    for (words, complaint) in [
      (["1", "--from", "tow"], "pipeline `p` has no stage `tow`: did you mean `two`?"),
      (["1", "--from", "two", "--failed-only"], "--from and --failed-only both say where to begin"),
      (["7"], "there is no run `7`"), (["1", "--set", "x"], "expected a name and a value"),
    ] {
      let refused = try await place.start(["rerun"] + words).end()
      #expect(refused.code == 2 && refused.complaints.contains(complaint), "\(refused.complaints)")
    }
    try FileManager.default.removeItem(
      atPath: place.path("var/done/\(try #require(try await place.runs().first).id)/a.csv"))
    let gone = try await place.penstock("rerun", "1")
    #expect(gone.code == 2 && gone.complaints.contains("a.csv` is not there any more"), "\(gone.complaints)")
    #expect(try await place.runs().count == 1)
  }

  @Test func `a run on data sources is repeated on them`() async throws {
    let place = try ScenarioWorkspace()
    try place.write("data.csv", "1\n")
    try place.script("s.sh", "cat > /dev/null; cat \"$1\" >> \"$PENSTOCK_HOME/worked\"")
    try place.write(
      "pipelines/p.yaml",
      """
      pipeline: { name: p }
      data: { sources: [ { type: csv, path: data.csv } ] }
      stages: [{ name: s, run: ["./s.sh", "${input}"], pure: true }]
      """)
    #expect(try await place.penstock("run", "p").code == 0)
    #expect(try await place.penstock("rerun", "1").code == 0)
    #expect(worked(place) == ["1"])
    try place.write("data.csv", "2\n")
    #expect(try await place.penstock("rerun", "2").code == 0)
    #expect(worked(place) == ["2"])
    #expect(
      try await place.penstock("why", "3", "s").output.contains("the input `input` has other content than in run 2"))
  }

  @Test func `a stage with each that ended well is taken whole, and one that has changed inputs is worked`()
    async throws
  {
    let place = try ScenarioWorkspace()
    try place.script("one.sh", "cat > /dev/null; echo \"$PENSTOCK_ITEM\" >> \"$PENSTOCK_HOME/worked\"")
    try place.script("sum.sh", "cat > /dev/null; echo sum >> \"$PENSTOCK_HOME/worked\"")
    try place.write(
      "pipelines/p.yaml",
      """
      pipeline: { name: p }
      trigger: { inbox: "*.jsonl" }
      stages:
        - { name: one, run: ["./one.sh"], each: { from: input } }
        - { name: sum, run: ["./sum.sh"] }
      """)
    try place.drop("a.jsonl", "{\"id\":\"x\"}\n{\"id\":\"y\"}\n")
    #expect(try await place.penstock("up", "--once").code == 0, "\(place.tail)")
    #expect(worked(place).sorted() == ["sum", "x", "y"])
    #expect(try await place.penstock("rerun", "1", "--from", "sum").code == 0, "\(place.tail)")
    #expect(worked(place) == ["sum"])
    let runs = try await place.runs()
    #expect(try await place.attempts(runs[1]).map(\.state) == [.cached, .ok])
    #expect(try await place.penstock("rerun", "1", "--from", "one").code == 0, "\(place.tail)")
    #expect(worked(place).sorted() == ["sum", "x", "y"])
  }
}
