import Foundation
import Testing

@Suite(.timeLimit(.minutes(2))) struct CheckTests {
  private static let good = """
    pipeline: { name: good }
    trigger: { inbox: "*.csv" }
    stages: [{ name: one, run: ["true"] }]

    """

  @Test func `a workspace without a fault`() async throws {
    let scene = try Scene(["pipelines/good.yaml": Self.good])
    try await scene.expect("check", stdout: "nothing is wrong; 2 files checked\n")
    try await scene.expect(
      "check", "--json",
      stdout: "{\"api\":1,\"diagnostics\":[],\"errors\":0,\"files\":2,\"ok\":true,\"warnings\":0}\n")
  }

  @Test func `everything wrong is told at once, each at its place`() async throws {
    let scene = try Scene([
      "pipelines/bad.yaml": """
      pipeline: { nme: bad }
      stages:
        - { name: one, run: ["true"], timout: 5 }

      """,
      "pipelines/good.yaml": Self.good, "etc/penstock.yaml": "settle: 2\n",
    ])
    let found = try await scene.ask("check")
    #expect(found.code == 2)
    #expect(found.complaints == "")
    let text = found.output
    #expect(text.contains("etc/penstock.yaml:1:9: error: "), "\(text)")
    #expect(text.contains("\n 1 | settle: 2\n   |         ^\n"), "\(text)")
    #expect(text.contains("write `2s` or `2m`"), "\(text)")
    #expect(text.contains("pipelines/bad.yaml:1:13: error: "), "\(text)")
    #expect(text.contains("did you mean `timeout`?"), "\(text)")
    #expect(text.contains("in 2 files; 3 files checked\n"), "\(text)")
  }

  @Test(arguments: [
    (
      "\"/data/in/*.csv\"", "error: `inbox`: `/` cannot be part of a file name",
      "write `*.csv`: drops come from `inbox/` alone, which may be a link to another directory"
    ),
    (
      "\"*.{csv,txt}\"", "error: `inbox`: `{csv,txt}` is no name: use letters, digits and `_`",
      "there are no alternatives: a pipeline has one pattern: a second file with `extends:`"
    ),
    (
      "[\"*.csv\", \"*.txt\"]",
      "error: `inbox`: expected a pattern of file names such as `sales-{region}.csv`, got a list",
      "a pipeline has one pattern: a second file with `extends:`"
    ),
    (
      "\"[ab]*.csv\"", "warning: `inbox`: `[ab]` stands for itself, brackets and all, not for one of its letters",
      "`*`, `?` and `{name}` are all there is"
    ),
  ])
  func `what is no pattern here is told with what to write`(inbox: String, error: String, hint: String) async throws {
    let scene = try Scene(["pipelines/p.yaml": Self.good.replacing("\"*.csv\"", with: inbox)])
    let found = try await scene.ask("check")
    #expect(found.output.contains(error) && found.output.contains("\n  \(hint)"), "\(found.output)")
    #expect(found.code == (error.hasPrefix("warning") ? 0 : 2))
  }

  @Test func `programs get every finding with its place`() async throws {
    let scene = try Scene(["pipelines/bad.yaml": "pipeline: { name: bad }\nstages: 7\n"])
    let found = try await scene.ask("check", "--json")
    #expect(found.code == 2)
    #expect(found.json["ok"] as? Bool == false)
    let first = try #require(found.list("diagnostics").first)
    #expect(first["file"] as? String == "pipelines/bad.yaml")
    #expect(first["line"] as? Int == 2)
    #expect(first["column"] as? Int == 9)
    #expect(first["severity"] as? String == "error")
  }

  @Test func `only what is asked for is told`() async throws {
    let scene = try Scene(["pipelines/bad.yaml": "stages: 7\n", "pipelines/good.yaml": Self.good])
    try await scene.expect(
      "check", scene.path("pipelines/good.yaml"), stdout: "nothing is wrong; 1 file checked\n")
    #expect(try await scene.ask("check", scene.path("pipelines")).output.contains("2 files checked"))
  }

  @Test func `a pipeline may lie anywhere, and then stands in for its namesake`() async throws {
    let scene = try Scene([
      "pipelines/good.yaml": Self.good, "elsewhere/good.yaml": Self.good, "elsewhere/bad.yaml": "stages: 7\n",
    ])
    try await scene.expect(
      "check", scene.path("elsewhere/good.yaml"), stdout: "nothing is wrong; 1 file checked\n")
    let bad = try await scene.ask("check", scene.path("elsewhere/bad.yaml"))
    #expect(bad.code == 2)
    #expect(bad.output.contains("elsewhere/bad.yaml:1:"))
    try await scene.expect(
      "check", scene.path("missing.yaml"),
      stderr: "penstock: cannot check `HOME/missing.yaml`: no such file\n", exit: 2)
  }

  @Test func `a program that is not there is an error at the line that names it`() async throws {
    let scene = try Scene([
      "pipelines/p.yaml": """
      pipeline: { name: p }
      trigger: { inbox: "*.csv" }
      stages: [{ name: one, run: ["./stages/one.sh"] }]
      hooks: { before-one: [{ run: ["./hooks/two.sh"] }] }

      """, "hooks/two.sh": "not a program",
    ])
    let found = try await scene.ask("check")
    #expect(found.code == 2)
    #expect(
      found.output.contains(
        "pipelines/p.yaml:3:30: error: stage `one` cannot run `./stages/one.sh`: no such file\n"),
      "\(found.output)")
    #expect(
      found.output.contains(
        "pipelines/p.yaml:4:32: error: the hook of `before-one` cannot run `./hooks/two.sh`: is not executable: chmod +x it\n"
      ),
      "\(found.output)")
    #expect(found.output.hasSuffix("2 errors in 1 file; 2 files checked\n"))
  }

  @Test func `hooks that will not run are warned about`() async throws {
    let scene = try Scene([
      "pipelines/good.yaml": Self.good, "hooks/before-run.d/10-plain": "text",
      "hooks/before-oen.d/10-x": "#!/bin/sh\n", "hooks/before-run.d/20-windows": "#!/bin/sh\r\n:\r\n",
      "hooks/before-run.d/30-slip": "#!/usr/bin/pyhton3\n", "hooks/before-run.d/40-bare": "echo x\n",
    ])
    for name in ["20-windows", "30-slip", "40-bare"] {
      #expect(chmod(scene.path("hooks/before-run.d/\(name)"), 0o755) == 0)
    }
    #expect(symlink("../examples/gone", scene.path("hooks/before-run.d/50-gone")) == 0)
    try await scene.expect(
      "check",
      stdout: """
        hooks/before-oen.d:1:1: warning: nothing calls this directory: no event is called `before-oen`, and no pipeline has such a stage
          did you mean `hooks/before-one.d`?

        hooks/before-run.d/10-plain:1:1: warning: this hook does not run: is not executable: chmod +x it

        hooks/before-run.d/20-windows:1:1: warning: this hook does not run: it has Windows line ends, and its first line asks for `/bin/sh\\r`: `sed -i 's/\\r$//'` on it removes them

        hooks/before-run.d/30-slip:1:1: warning: this hook does not run: its first line asks for `/usr/bin/pyhton3`, which is missing

        hooks/before-run.d/40-bare:1:1: warning: this hook does not run: it is no program for this machine, and no script: a script begins with `#!`

        hooks/before-run.d/50-gone:1:1: warning: this hook does not run: it is a link to `../examples/gone`, which is not there

        6 warnings in 6 files; 9 files checked

        """)
  }
}
