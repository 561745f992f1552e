import Core
import Foundation
import Host
import Testing

@Suite struct ResolvingTests {
  private func pipeline(_ text: String = PipelineFolderTests.pipeline) throws -> Pipeline {
    let workspace = try ConfiguredWorkspace()
    try workspace.write("stages/tabular/train.yaml", PipelineFolderTests.train)
    try workspace.write("pipelines/fx.yaml", text)
    return try #require(workspace.pipelines().first?.version?.pipeline)
  }

  private func said(_ body: () throws -> Pipeline) -> [String] {
    do {
      _ = try body()
      return []
    } catch let error as InvalidPipeline {
      return error.diagnostics.map {
        "\($0.mark.displayed) \($0.message)" + ($0.hint.map { "; " + $0 } ?? "")
      }
    } catch { return ["\(error)"] }
  }

  @Test func `a value set by hand takes the place of a variable, in its type`() throws {
    let pipeline = try pipeline()
    let run = try pipeline.resolved(captures: ["pair": "eurusd"], set: ["horizon": "7", "root": "1"])
    #expect(run.stages[0].params == ["horizon": 7])
    #expect(run.sources == [DataSource(type: "csv", path: "1/fx-eurusd.csv")])
    #expect(run.vars == ["horizon": 7, "root": "1"])
    #expect(run.stages[0].granularity == .auto)
  }

  @Test func `what cannot be set is told`() throws {
    let pipeline = try pipeline()
    #expect(
      said { try pipeline.resolved(captures: ["pair": "x"], set: ["horizn": "7"]) } == [
        "--set horizn:1:1 pipeline `fx` has no variable `horizn`; did you mean `horizon`?"
      ])
    #expect(
      said { try pipeline.resolved(captures: ["pair": "x"], set: ["horizon": "0"]) } == [
        "pipelines/fx.yaml:6:93 `horizon`: expected at least 1, got `0`"
      ])
    #expect(
      said { try pipeline.resolved(captures: [:]) } == [
        "run:1:1 `${file.pair}` is not known: the run has no drop whose name yields it"
      ])
  }

  @Test func `a value set by hand is text and never a reference`() throws {
    let run = try pipeline().resolved(captures: ["pair": "p"], set: ["root": "${HOME}/${file.pair}"])
    #expect(run.sources.map(\.path) == ["${HOME}/${file.pair}/fx-p.csv"])
  }

  @Test func `resolving what is resolved changes nothing`() throws {
    var chance = SystemRandomNumberGenerator()
    let pipeline = try pipeline()
    for _ in 0..<50 {
      let pair = String((0..<4).compactMap { _ in "ab${}-.".randomElement(using: &chance) })
      let once = try pipeline.resolved(captures: ["pair": pair])
      #expect(try once.resolved(captures: ["pair": "other"]).stages[1] == once.stages[1])
      let words = try ArgumentTemplate.expand(
        argv: once.stages[1].program, input: "/in", home: "/h", out: "/o", params: [:])
      #expect(words == ["./publish.sh", "/in", pair])
    }
  }

  @Test func `a pipeline survives being kept as JSON`() throws {
    let pipeline = try pipeline()
    let data = try JSONEncoder().encode(pipeline)
    #expect(try JSONDecoder().decode(Pipeline.self, from: data) == pipeline)
    #expect(data.count < 40_000)
  }

  @Test func `the environment fills in text, with its default and without`() throws {
    let workspace = try ConfiguredWorkspace()
    try workspace.write(
      "pipelines/a.yaml",
      """
      pipeline: { name: a }
      stages:
        - { name: a, run: [a, "${ROOT:-here}", "${EMPTY:-none}", "${ODD}", "$${ROOT}"] }
      """)
    let environment = ["ROOT": "/data", "EMPTY": "", "ODD": "${out}"]
    let pipeline = try #require(workspace.pipelines(environment: environment).first?.version?.pipeline)
    let run = try pipeline.resolved(captures: [:])
    let words = try ArgumentTemplate.expand(
      argv: run.stages[0].program, input: nil, home: "/h", out: "/o", params: [:])
    #expect(words == ["a", "/data", "none", "${out}", "${ROOT}"])
  }
}
