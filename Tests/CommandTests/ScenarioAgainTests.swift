import Core
import Foundation
import TestSupport
import Testing

/// What a rerun takes from the run it repeats, and what it must not.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ScenarioAgainTests {
  @Test func `only what failed is worked again, also where its failure was let pass`() async throws {
    let place = try ScenarioWorkspace()
    try place.script("stages/a.sh", "echo a >> \"$PENSTOCK_HOME/calls\"")
    try place.script("stages/b.sh", "echo b >> \"$PENSTOCK_HOME/calls\"; [ -e \"$PENSTOCK_HOME/mended\" ]")
    try place.write(
      "pipelines/p.yaml",
      """
      pipeline: { name: p }
      trigger: { inbox: "*.csv" }
      stages:
        - { name: a, run: [./stages/a.sh] }
        - { name: b, run: [./stages/b.sh], on_error: continue }
      """)
    try place.drop("a.csv")
    #expect(try await place.penstock("up", "--once").code == 0)
    let why = try await place.penstock("why", "last").output
    #expect(why.contains("`b` failed and `on_error: continue` let the run go on"), "\(why)")
    let shown = try await place.penstock("show", "last").output
    #expect(shown.contains("`b` failed: ") && shown.contains("`on_error: continue` let the run go on"), "\(shown)")
    try place.write("mended", "")
    let again = try await place.penstock("rerun", "last", "--failed-only", "--wait")
    #expect(again.code == 0, "\(again.output)\(again.complaints)")
    #expect(place.text("calls") == "a\nb\nb\n")
    #expect(try await place.penstock("rerun", "last", "--failed-only", "--wait").code == 2)
  }

  @Test func `a drop that a person mended is worked from its first stage`() async throws {
    let place = try ScenarioWorkspace()
    try place.script(
      "stages/a.sh", "cat \"$1\" > t; echo '{\"outputs\":[{\"name\":\"t\",\"path\":\"t\"}]}'")
    try place.script("stages/b.sh", "cat \"$1\" >> \"$PENSTOCK_HOME/read\"; grep -q new \"$1\"")
    try place.write(
      "pipelines/p.yaml",
      """
      pipeline: { name: p }
      trigger: { inbox: "*.csv" }
      stages:
        - { name: a, run: [./stages/a.sh, "${input}"] }
        - { name: b, run: [./stages/b.sh, "${input}"] }
      """)
    try place.drop("a.csv", "old\n")
    #expect(try await place.penstock("up", "--once").code == 1)
    let failed = try #require(try await place.runs().last)
    let file = "var/failed/\(failed.id)/a.csv"
    try FileManager.default.removeItem(atPath: place.path(file))
    try place.write(file, "new\n")
    let again = try await place.penstock("rerun", "last", "--failed-only", "--wait")
    #expect(again.code == 0, "\(again.output)\(again.complaints)")
    #expect(place.text("read") == "old\nnew\n")
  }

  @Test func `a stage that waits for its place begins when it is free, whatever else waits for a time`() async throws {
    let place = try ScenarioWorkspace(settings: "concurrency: 4\n")
    try place.script(
      "stages/alone.sh",
      "echo x >> \"$PENSTOCK_HOME/begun\"; n=0; until [ -e \"$PENSTOCK_HOME/go\" ]; do n=$((n+1)); [ $n -gt 900 ] && exit 2; sleep 0.05; done"
    )
    try place.write(
      "pipelines/p.yaml",
      """
      pipeline: { name: p }
      trigger: { inbox: "*.csv" }
      stages:
        - { name: alone, run: [./stages/alone.sh], concurrency: 1 }
        - { name: later, needs: [], run: ["/bin/sh", "-c", "exit 1"], retry: { attempts: 2, backoff: 1h } }
      """)
    let agent = try await place.up()
    for name in ["a.csv", "b.csv"] { try place.drop(name) }
    try await until("one at work, and both others failed once; \(place.tail)") {
      let runs = try await place.runs()
      var failures = 0
      for run in runs {
        failures += try await place.attempts(run).filter { $0.stage == "later" && $0.again != nil }.count
      }
      return failures == 2 && place.text("begun") == "x\n"
    }
    try place.write("go", "")
    try await until("the other at work") { place.text("begun") == "x\nx\n" }
    _ = try await place.stop(agent)
  }
}
