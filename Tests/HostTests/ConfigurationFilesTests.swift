import Core
import Foundation
import Host
import Testing

@Suite struct ConfigurationFilesTests {
  @Test func `C08: a file that others may change is not read`() throws {
    let workspace = try ConfiguredWorkspace()
    let good = PipelineMistakesTests.good
    try workspace.write("pipelines/a.yaml", good, mode: 0o666)
    try workspace.write(
      "pipelines/b.yaml", good.replacingOccurrences(of: "name: x", with: "name: b"), mode: 0o664)
    try workspace.write("pipelines/open/c.yaml", good.replacingOccurrences(of: "name: x", with: "name: c"))
    try workspace.setMode("pipelines/open", 0o777)
    try workspace.write("pipelines/sticky/d.yaml", good.replacingOccurrences(of: "name: x", with: "name: d"))
    try workspace.setMode("pipelines/sticky", 0o1777)
    let loaded = workspace.pipelines()
    let said = loaded.flatMap(\.diagnostics).map {
      $0.rendered.replacingOccurrences(of: workspace.path, with: "HERE")
    }
    #expect(
      said == [
        "pipelines/a.yaml:1:1: error: everyone may write to the file, so it is not read\n  chmod o-w pipelines/a.yaml",
        "pipelines/b.yaml:1:1: warning: the group may write to the file\n  chmod g-w pipelines/b.yaml",
        "pipelines/open/c.yaml:1:1: error: everyone may write to the directory `HERE/pipelines/open`, so the file is not read\n  chmod o-w on that directory",
      ])
    #expect(loaded.compactMap(\.version?.path) == ["pipelines/b.yaml", "pipelines/sticky/d.yaml"])
  }

  @Test func `only files that are meant are read`() throws {
    let workspace = try ConfiguredWorkspace()
    let good = PipelineMistakesTests.good
    for name in [".hidden.yaml", "a.yaml~", "#a.yaml#", ".dir/a.yaml", "notes.md", "a.yaml.swp", ".yaml"] {
      try workspace.write("pipelines/" + name, good)
    }
    try FileManager.default.createDirectory(
      atPath: workspace.path + "/pipelines/dir.yaml", withIntermediateDirectories: true)
    try workspace.write("pipelines/one.yml", good)
    try workspace.write(
      "pipelines/deep/two.json",
      "{\"pipeline\": {\"name\": \"two\"}, \"stages\": [{\"name\": \"a\", \"run\": [\"a\"]}]}")
    let loaded = workspace.pipelines()
    #expect(loaded.map(\.path) == ["pipelines/deep/two.json", "pipelines/one.yml"])
    #expect(loaded.compactMap(\.name) == ["two", "x"])
  }

  @Test func `C01: a bad file takes no other with it`() throws {
    let workspace = try ConfiguredWorkspace()
    try workspace.write("pipelines/bad.yaml", "pipeline: { name: ")
    try workspace.write("pipelines/good.yaml", PipelineMistakesTests.good)
    let loaded = workspace.pipelines()
    #expect(loaded.map(\.isValid) == [false, true])
    #expect(
      loaded[0].diagnostics.map(\.rendered) == [
        "pipelines/bad.yaml:1:18: error: expected a value here\n 1 | pipeline: { name: \n   |                  ^\n  check that every bracket and brace is closed"
      ])
  }

  @Test func `without a folder there are no pipelines and no stages`() throws {
    let workspace = try ConfiguredWorkspace()
    #expect(workspace.pipelines().isEmpty)
    #expect(workspace.context().stages.isEmpty)
  }

  @Test func `settings are read, and what is wrong with them is told`() throws {
    let workspace = try ConfiguredWorkspace()
    #expect(SettingsFile.load(workspace: workspace.path).settings == Settings())
    try workspace.write(
      "etc/penstock.yaml", "concurrency: 4\nsettle: 500ms\nreserve: 1GiB\nkit: /opt/kit\nenv: [A, B]\n")
    let (settings, diagnostics) = SettingsFile.load(workspace: workspace.path)
    #expect(diagnostics == [])
    #expect(settings.concurrency == 4)
    #expect(settings.settle == .milliseconds(500))
    #expect(settings.reserve == 1 << 30)
    #expect(settings.kit == "/opt/kit")
    #expect(settings.environment == ["A", "B"])
    try workspace.write("etc/penstock.yaml", "concurency: 4\nsettle: 5\nrescan: 10ms\nconcurrency: 0\n")
    let wrong = SettingsFile.load(workspace: workspace.path)
    #expect(wrong.settings == Settings())
    #expect(
      wrong.diagnostics.map(\.rendered) == [
        "etc/penstock.yaml:1:1: error: unknown key `concurency` in the settings\n 1 | concurency: 4\n   | ^^^^^^^^^^\n  did you mean `concurrency`?",
        "etc/penstock.yaml:2:9: error: `settle`: `5` has no unit\n 2 | settle: 5\n   |         ^\n  write `5s` or `5m`",
        "etc/penstock.yaml:3:9: error: `rescan`: expected at least `1s`, got `10ms`\n 3 | rescan: 10ms\n   |         ^^^^",
        "etc/penstock.yaml:4:14: error: `concurrency`: expected a whole number from 1 to 256, got `0`\n 4 | concurrency: 0\n   |              ^",
      ])
  }

  @Test func `the shipped settings say the defaults, with their comments and without`() throws {
    let workspace = try ConfiguredWorkspace()
    try workspace.write("etc/penstock.yaml", SettingsShape.template)
    #expect(SettingsFile.load(workspace: workspace.path).settings == Settings())
    let uncommented = SettingsShape.template.split(separator: "\n").map { line in
      line.hasPrefix("#") && !line.hasPrefix("# ") ? String(line.dropFirst()) : String(line)
    }.joined(separator: "\n")
    try workspace.write("etc/penstock.yaml", uncommented)
    let (settings, diagnostics) = SettingsFile.load(workspace: workspace.path)
    #expect(diagnostics.map(\.rendered) == [])
    #expect(settings == Settings())
    let root = try YAMLDocument.parse(Array(uncommented.utf8), file: "f")
    #expect(root.entries?.map(\.key) == SettingsShape.settings.map(\.field.key))
  }

  @Test func `manifests are read, and what is wrong with them is told`() throws {
    let workspace = try ConfiguredWorkspace()
    try workspace.write("stages/tabular/train.yaml", PipelineFolderTests.train)
    for skipped in [".venv/x.yaml", "tests/x.yaml", "src/a/x.yaml"] {
      try workspace.write("stages/" + skipped, "[")
    }
    try workspace.write(
      "stages/mine/bad.yaml",
      """
      stage: mine/good
      version: 1
      run: ["${kit}/a", "${params.x}", "${file.y}"]
      params: { type: objct, properties: { a: { minimun: 1, type: [integer, text] }, b: 5 } }
      granularity: { coarse: all, fien: x }
      inputs: [table]
      passthrough: [tabel]
      files: [../secret, ok]
      """)
    let (stages, diagnostics) = ManifestFolder(directory: workspace.path + "/stages").load()
    #expect(stages.keys.sorted() == ["tabular/train"])
    #expect(stages["tabular/train"]?.manifest.kit == workspace.path + "/stages")
    let said = diagnostics.map { diagnostic in
      var diagnostic = diagnostic
      diagnostic.source = nil
      diagnostic.mark.file = "m"
      return diagnostic.rendered
    }
    #expect(
      said.joined(separator: "\n") == """
        m:1:1: error: missing key `summary` in a manifest
        m:1:8: error: `stage`: expected `mine/bad`, the path of the file in `stages/`, got `mine/good`
        m:3:19: error: `run`: nothing is known as `${params.x}`
          `${kit}`, `${input}`, `${home}`, `${out}` and `${params.x}` are
        m:3:34: error: `run`: nothing is known as `${file.y}`
          `${kit}`, `${input}`, `${home}`, `${out}` and `${params.x}` are
        m:4:17: error: `type`: `objct` is no type
          did you mean `object`?
        m:4:43: error: `minimun` is no keyword of a parameter's schema
          did you mean `minimum`?
        m:4:71: error: `type`: `text` is no type
          types: `null`, `boolean`, `integer`, `number`, `string`, `array`, `object`
        m:4:83: error: `b`: expected a map, a JSON Schema, got `5`
        m:5:29: error: unknown key `fien` in `granularity`
          did you mean `fine`?
        m:7:1: error: `passthrough` is for stages that support `off`
          add `off:` to `granularity`, or remove it
        m:7:15: error: `passthrough`: `tabel` is no input
          did you mean `table`?
        m:8:9: error: `files`: `../secret` is not inside the kit
          a path relative to `stages/`, without `..`
        """)
  }
}
