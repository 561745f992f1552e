import Core
import Foundation
import Glibc
import Host
import Synchronization
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

  @Test(.enabled(if: geteuid() == 0, "only root can give files away"))
  func `C08: a file of some other user is not read`() throws {
    let workspace = try ConfiguredWorkspace()
    try workspace.write("pipelines/a.yaml", PipelineMistakesTests.good)
    #expect(workspace.pipelines().map(\.isValid) == [true])
    #expect(chown(workspace.path + "/pipelines/a.yaml", 12345, 12345) == 0)
    #expect(
      workspace.pipelines().flatMap(\.diagnostics).map(\.rendered) == [
        "pipelines/a.yaml:1:1: error: the file belongs to user 12345, who could change it any time, so it is not read\n  chown it to the user the agent runs as, 0"
      ])
    // a whole workspace of another user, as where it is mounted into a container
    #expect(chown(workspace.path + "/pipelines", 12345, 12345) == 0)
    #expect(workspace.pipelines().map(\.isValid) == [true])
  }

  @Test func `C08: a link is judged by what it leads to`() throws {
    let workspace = try ConfiguredWorkspace()
    let outside = try ConfiguredWorkspace()
    try outside.write("open/a.yaml", PipelineMistakesTests.good)
    try workspace.write("pipelines/.keep", "")
    let link = workspace.path + "/pipelines/a.yaml"
    #expect(symlink(outside.path + "/open/a.yaml", link) == 0)
    #expect(workspace.pipelines().map(\.isValid) == [true])
    try outside.setMode("open", 0o777)
    let said = workspace.pipelines().flatMap(\.diagnostics).map(\.message)
    #expect(said == ["everyone may write to the directory `\(outside.path)/open`, so the file is not read"])
    try outside.setMode("open", 0o755)
    try outside.setMode("open/a.yaml", 0o666)
    #expect(workspace.pipelines().map(\.isValid) == [false])
    for target in ["/dev/zero", outside.path, link, "/nowhere/at/all"] {
      unlink(link)
      #expect(symlink(target, link) == 0)
      #expect(workspace.pipelines().compactMap(\.version).isEmpty, "\(target)")
    }
  }

  @Test(.timeLimit(.minutes(5))) func `C08: a link that is swapped while it is read leads to one of its files, whole`()
    async throws
  {
    let workspace = try ConfiguredWorkspace()
    try workspace.write("good.yaml", PipelineMistakesTests.good)
    try workspace.write("evil.yaml", PipelineMistakesTests.good.replacing("name: x", with: "name: evil"), mode: 0o666)
    try workspace.write("pipelines/.keep", "")
    let swapper = Swapper(path: workspace.path)
    swapper.point(to: "good.yaml")
    await withTaskGroup { group in
      group.addTask {
        while !swapper.isDone {
          swapper.point(to: "evil.yaml")
          swapper.point(to: "good.yaml")
        }
      }
      for _ in 0..<300 {
        #expect(!workspace.pipelines().contains { $0.version?.pipeline.name == "evil" })
      }
      swapper.finish()
    }
  }

  /// Lets a link lead now here, now there.
  private final class Swapper: Sendable {
    private let path: String
    private let done = Mutex(false)

    init(path: String) { self.path = path }

    var isDone: Bool { done.withLock { $0 } }

    func finish() { done.withLock { $0 = true } }

    func point(to target: String) {
      unlink(path + "/.next")
      symlink(path + "/" + target, path + "/.next")
      rename(path + "/.next", path + "/pipelines/a.yaml")
    }
  }

  @Test(.timeLimit(.minutes(5))) func `C03: an unknown key is an error that names the nearest`() throws {
    let workspace = try ConfiguredWorkspace()
    try workspace.write("pipelines/a.yaml", "pipeline: { name: x }\nstages: [ { name: a, run: [a], timeuot: 5s } ]\n")
    let loaded = try #require(workspace.pipelines().first)
    #expect(loaded.version == nil)
    #expect(loaded.diagnostics.map(\.hint) == ["did you mean `timeout`?"])
  }

  @Test(.timeLimit(.minutes(2))) func `C02: a mebibyte of unknown keys is refused in a moment`() throws {
    let workspace = try ConfiguredWorkspace()
    let keys = (0..<90_000).map { "key\($0): 1" }.joined(separator: "\n")
    try workspace.write("pipelines/a.yaml", PipelineMistakesTests.good + keys)
    let clock = ContinuousClock()
    var loaded: [LoadedPipeline] = []
    let took = clock.measure { loaded = workspace.pipelines() }
    #expect(loaded.map(\.isValid) == [false])
    // a build without optimisation on a busy machine; 1 s for the true one
    #expect(took < .seconds(20), "\(took)")
  }

  @Test(.timeLimit(.minutes(2)))
  func `C04: of a thousand pipelines those with a circle or a missing stage are refused alone`()
    throws
  {
    let workspace = try ConfiguredWorkspace()
    for n in 0..<996 {
      try workspace.write("pipelines/p\(n).yaml", "pipeline: { name: p\(n) }\nstages: [ { name: a, run: [a] } ]\n")
    }
    let stages = [
      "circle": "[ { name: a, run: [a], needs: [b] }, { name: b, run: [b], needs: [a] } ]",
      "missing": "[ { name: a, run: [a], needs: [nowhere] } ]", "unknown": "[ { name: a, uses: no/such } ]",
      "itself": "[ { name: a, run: [a], needs: [a] } ]",
    ]
    for (name, stages) in stages {
      try workspace.write("pipelines/\(name).yaml", "pipeline: { name: \(name) }\nstages: \(stages)\n")
    }
    let loaded = workspace.pipelines()
    #expect(loaded.count == 1000)
    #expect(Set(loaded.filter { !$0.isValid }.compactMap(\.name)) == Set(stages.keys))
    #expect(loaded.compactMap(\.version).count == 996)
    for file in loaded where !file.isValid { #expect(!file.diagnostics.isEmpty, "\(file.path)") }
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
