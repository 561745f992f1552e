import Core
import Foundation
import Host
import Testing

@Suite struct PipelineFolderTests {
  static let train = """
    stage: tabular/train
    version: 1.0.0
    summary: fits a model
    run: ["${kit}/train.sh", "${params.horizon}"]
    params:
      type: object
      additionalProperties: false
      properties:
        horizon: { type: integer, minimum: 1 }
        model: { type: string, enum: [boosted, ridge] }
    granularity: { coarse: all, medium: a sample, fine: linear }
    inputs: [table]
    outputs: [model]
    pure: true
    """

  static let pipeline = """
    pipeline: { name: fx, version: 1.2.0 }
    vars: { horizon: 3, root: "${DATA_ROOT:-samples}" }
    trigger: { inbox: "fx-{pair}.csv", priority: 2 }
    data: { sources: [ { type: csv, path: "${vars.root}/fx-${file.pair}.csv" } ] }
    stages:
      - { name: train, uses: tabular/train, granularity: auto, timeout: 20m, params: { horizon: "${vars.horizon}" } }
      - { name: publish, run: [./publish.sh, "${input}", "${file.pair}"], on_error: continue }
    hooks: { before-train: [ { run: [./cap.sh], on_error: warn } ] }
    """

  @Test func `a folder becomes pipelines`() throws {
    let workspace = try ConfiguredWorkspace()
    try workspace.write("stages/tabular/train.yaml", Self.train)
    try workspace.write(
      "pipelines/fx.yaml",
      Self.pipeline)
    let loaded = workspace.pipelines()
    #expect(loaded.flatMap(\.diagnostics).map(\.rendered) == [])
    let version = try #require(loaded.first?.version)
    #expect(version.pipeline.stages.map(\.name) == ["train", "publish"])
    let run = try version.pipeline.resolved(captures: ["pair": "${home}"], set: ["horizon": "5"])
    #expect(run.stages[0].params == ["horizon": 5])
    #expect(run.stages[0].program == [workspace.path + "/stages/train.sh", "${params.horizon}"])
    #expect(run.sources == [DataSource(type: "csv", path: "samples/fx-${home}.csv")])
    let words = try ArgumentTemplate.expand(
      argv: run.stages[1].program, input: "/in", home: "/h", out: "/o", params: [:])
    #expect(words == ["./publish.sh", "/in", "${home}"])
  }
}
