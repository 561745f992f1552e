import Core
import Foundation
import Host
import Testing

@Suite struct ExtendsTests {
  private func workspace(_ files: [String: String]) throws -> ConfiguredWorkspace {
    let workspace = try ConfiguredWorkspace()
    try workspace.write("stages/tabular/train.yaml", PipelineFolderTests.train)
    for (name, text) in files { try workspace.write("pipelines/" + name, text) }
    return workspace
  }

  static let base = """
    pipeline: { name: base/all, version: 2.0.0 }
    vars: { horizon: 1, root: samples }
    stages:
      - { name: read, run: [./read, "${vars.root}"] }
      - { name: train, uses: tabular/train, params: { horizon: "${vars.horizon}", model: ridge }, timeout: 5m }
      - { name: report, run: [./report] }
    """

  @Test func `maps merge deeply, stages by name, new ones go where they say`() throws {
    let workspace = try workspace([
      "base/all.yaml": Self.base,
      "mine.yaml": """
      pipeline: { name: mine, extends: base/all }
      vars: { horizon: 4 }
      stages:
        - { name: last, run: [./last] }
        - { name: check, run: [./check], after: read }
        - { name: check2, run: [./check2], after: read }
        - { name: train, params: { model: boosted } }
        - { name: report, enabled: false }
      """,
    ])
    let loaded = workspace.pipelines()
    #expect(loaded.flatMap(\.diagnostics).map(\.rendered) == [])
    #expect(loaded.map(\.isBase) == [true, false])
    #expect(loaded[0].version == nil)
    let pipeline = try #require(loaded[1].version?.pipeline)
    #expect(pipeline.stages.map(\.name) == ["read", "check", "check2", "train", "last"])
    #expect(pipeline.stages.map(\.needs) == [[], ["read"], ["check"], ["check2"], ["train"]])
    #expect(pipeline.stages[3].params == ["horizon": 4, "model": "boosted"])
    #expect(pipeline.stages[3].timeout == .seconds(300))
    #expect(pipeline.label == "2.0.0")
    #expect(pipeline.vars == ["horizon": 4, "root": "samples"])
  }

  @Test(arguments: ["base/all", "base/all.yaml"]) func `a base is named by its name or its path`(name: String)
    throws
  {
    guard name == "base/all" else {
      let workspace = try workspace([
        "base/other.yaml": Self.base, "mine.yaml": "pipeline: { name: mine, extends: base/other }",
      ])
      #expect(workspace.pipelines().last?.version?.pipeline.stages.count == 3)
      return
    }
    let workspace = try workspace([
      "base/x.yaml": Self.base, "mine.yaml": "pipeline: { name: mine, extends: base/all }",
    ])
    #expect(workspace.pipelines().last?.version?.pipeline.stages.count == 3)
  }

  @Test func `a base beside the kit is lent to a workspace that has none of that name, and is not listed`() throws {
    let kit = try workspace(["base/all.yaml": Self.base, "other.yaml": "pipeline: { name: other }"])
    let place = try workspace(["a.yaml": "pipeline: { name: a, extends: base/all }"])
    #expect(place.pipelines().first?.isValid == false)
    let folder = PipelineFolder(workspace: place.path, shared: kit.path + "/pipelines")
    let loaded = folder.load(place.context())
    #expect(loaded.map(\.path) == ["pipelines/a.yaml"])
    #expect(loaded.first?.version?.pipeline.stages.map(\.name) == ["read", "train", "report"])
    let own = try workspace([
      "a.yaml": "pipeline: { name: a, extends: base/all }",
      "base/all.yaml": "pipeline: { name: base/all }\nstages: [ { name: mine, run: [a] } ]",
    ])
    let kept = PipelineFolder(workspace: own.path, shared: kit.path + "/pipelines").load(own.context())
    #expect(kept.first?.version?.pipeline.stages.map(\.name) == ["mine"])
  }

  @Test func `run takes the place of an inherited uses`() throws {
    let workspace = try workspace([
      "base/all.yaml": Self.base,
      "mine.yaml": "pipeline: { name: mine, extends: base/all }\nstages: [ { name: train, run: [./mine] } ]",
    ])
    let stage = try #require(workspace.pipelines().last?.version?.pipeline.stages[1])
    #expect(stage.uses == nil)
    #expect(stage.program == ["./mine"])
  }

  @Test func `a mistake in the base is told where it stands`() throws {
    let workspace = try workspace([
      "base/all.yaml": Self.base.replacingOccurrences(of: "ridge", with: "rigde"),
      "mine.yaml": "pipeline: { name: mine, extends: base/all }",
    ])
    let expected = """
      pipelines/base/all.yaml:5:86: error: `model`: expected one of `boosted`, `ridge`, got `rigde`
       5 |   - { name: train, uses: tabular/train, params: { horizon: "${vars.horizon}", model: rigde }, timeout: 5m }
         |                                                                                      ^^^^^
        did you mean `ridge`?
      """
    #expect(workspace.pipelines().map { $0.diagnostics.map(\.rendered) } == [[expected], [expected]])
  }

  @Test(arguments: [
    (
      ["a.yaml": "pipeline: { name: a, extends: b }", "b.yaml": "pipeline: { name: b, extends: a }"],
      [
        "1:31: pipelines extend each other in a circle: `a` extends `b` extends `a`",
        "1:31: pipelines extend each other in a circle: `b` extends `a` extends `b`",
      ]
    ),
    (
      ["a.yaml": "pipeline: { name: a, extends: a }"],
      ["1:31: pipelines extend each other in a circle: `a` extends `a`"]
    ),
    (
      ["a.yaml": "pipeline: { name: a, extends: base/al }", "base/all.yaml": base],
      ["1:31: no pipeline `base/al` to extend; did you mean `base/all`?"]
    ),
    (
      ["a.yaml": "pipeline: { name: a, extends: ../../etc/passwd }"],
      ["1:31: no pipeline `../../etc/passwd` to extend"]
    ),
    (
      ["a.yaml": "pipeline: { name: a, extends: base/all }", "base/all.yaml": "pipeline: ["],
      [
        "1:31: `base/all` cannot be read: see what is said about `pipelines/base/all.yaml`",
        "1:12: expected a value here; check that every bracket and brace is closed",
      ]
    ),
    (
      [
        "a.yaml":
          "pipeline: { name: a, extends: base/all }\nstages: [ { name: raed, enabled: false }, { name: n, run: [n], after: reed } ]",
        "base/all.yaml": base,
      ],
      [
        "2:19: no stage `raed` is inherited that could be removed; did you mean `read`?",
        "2:71: `after`: there is no stage `reed` before this one; did you mean `read`?",
      ]
    ),
  ])
  func `what cannot be extended is told`(files: [String: String], expected: [String]) throws {
    let said = try workspace(files).pipelines().flatMap(\.diagnostics).map { diagnostic in
      "\(diagnostic.mark.line):\(diagnostic.mark.column): \(diagnostic.message)"
        + (diagnostic.hint.map { "; " + $0 } ?? "")
    }
    #expect(said == expected)
  }

  @Test func `two pipelines of one name are both refused, each naming the other`() throws {
    let one = "pipeline: { name: same }\nstages: [ { name: a, run: [a] } ]"
    let loaded = try workspace(["a.yaml": one, "b.yaml": one]).pipelines()
    #expect(
      loaded.flatMap(\.diagnostics).map(\.message) == [
        "pipeline `same` is also in `pipelines/b.yaml`", "pipeline `same` is also in `pipelines/a.yaml`",
      ])
    #expect(loaded.compactMap(\.version).isEmpty)
  }

  @Test func `C07: a pipeline that never gets a drop is told so`() throws {
    func file(_ name: String, _ trigger: String) -> String {
      "pipeline: { name: \(name) }\ntrigger: { \(trigger) }\nstages: [ { name: a, run: [a] } ]"
    }
    let loaded = try workspace([
      "1.yaml": file("b", "inbox: \"*.csv\""), "2.yaml": file("a", "inbox: \"*.csv\""),
      "3.yaml": file("c", "inbox: \"*.csv\", priority: 1"), "4.yaml": file("d", "inbox: \"*.tsv\""),
    ]).pipelines()
    #expect(
      loaded.flatMap(\.diagnostics).map(\.rendered) == [
        """
        pipelines/1.yaml:2:19: warning: `a` takes every drop of this name: pattern and priority are the same
         2 | trigger: { inbox: "*.csv" }
           |                   ^^^^^^^
          give one of them another `priority` or pattern
        """
      ])
    #expect(loaded.compactMap(\.version).count == 4)
  }

  @Test func `the digest is that of all that goes into a pipeline`() throws {
    func digest(_ change: (inout [String: String]) -> Void, train: String = PipelineFolderTests.train) throws
      -> String
    {
      var files = [
        "base/all.yaml": Self.base, "mine.yaml": "pipeline: { name: mine, extends: base/all }",
        "other.yaml": "# x",
      ]
      change(&files)
      let workspace = try workspace(files)
      try workspace.write("stages/tabular/train.yaml", train)
      return try #require(workspace.pipelines().first { $0.name == "mine" }?.version?.digest)
    }
    let first = try digest { _ in }
    #expect(try digest { _ in } == first)
    #expect(try digest { $0["other.yaml"] = "# y" } == first)
    #expect(try digest { $0["mine.yaml"]? += "\n# a word" } != first)
    #expect(try digest { $0["base/all.yaml"]? += "\n# a word" } != first)
    #expect(try digest({ _ in }, train: PipelineFolderTests.train + "\n# a word") != first)
    #expect(first.count == 64)
  }

  @Test func `variables that multiply are stopped`() throws {
    var text = "pipeline: { name: a }\nvars:\n  a0: \"xxxxxxxxxxxxxxxx\"\n"
    for i in 1...40 { text += "  a\(i): \"${vars.a\(i - 1)}${vars.a\(i - 1)}\"\n" }
    text += "stages: [ { name: a, run: [\"${vars.a40}\"] } ]\n"
    let said = try workspace(["a.yaml": text]).pipelines().flatMap(\.diagnostics).map(\.message)
    #expect(said.contains("`vars` make the pipeline grow by more than 4 MiB"))
  }
}
