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

  @Test(.timeLimit(.minutes(1))) func `C02 what only has the name of a pipeline's file is told, and not waited for`()
    throws
  {
    let workspace = try ConfiguredWorkspace()
    try workspace.write("pipelines/good.yaml", "pipeline: { name: good }\nstages: [ { name: a, run: [a] } ]\n")
    #expect(mkfifo(workspace.path + "/pipelines/pipe.yaml", 0o600) == 0)
    #expect(symlink("nowhere", workspace.path + "/pipelines/link.yml") == 0)
    #expect(symlink("/dev/zero", workspace.path + "/pipelines/zero.yaml") == 0)
    #expect(mkdir(workspace.path + "/pipelines/more.yaml", 0o700) == 0)
    let said = Dictionary(
      uniqueKeysWithValues: workspace.pipelines().map { ($0.path, $0.diagnostics.map(\.message)) })
    #expect(
      said == [
        "pipelines/good.yaml": [], "pipelines/pipe.yaml": ["this is not a file"],
        "pipelines/link.yml": ["the file cannot be opened: no such file or directory"],
        "pipelines/zero.yaml": ["this is not a file"],
      ])
  }

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

  @Test func `every key of a pipeline does what it says`() throws {
    let workspace = try ConfiguredWorkspace()
    try workspace.write("stages/tabular/train.yaml", Self.train)
    try workspace.write(
      "pipelines/all.yaml",
      """
      pipeline: { name: all, version: 1.0 }
      vars: { a: [1, two], b: ~ }
      trigger: { inbox: "*.csv", priority: -3, on_config: true }
      data: { sources: [ { type: parquet, path: a.parquet } ] }
      env: [LANG, TOKEN]
      stages:
        - { name: later, run: [./later], needs: [train, first], granularity: off }
        - { name: first, run: [./first], needs: [] }
        - name: train
          uses: tabular/train
          params: { horizon: 1 }
          needs: [first]
          granularity: fine
          coarse: { params: { model: boosted } }
          medium: { sample: 5%, params: { horizon: 2 } }
          fine: { params: { horizon: 3 } }
          timeout: 2m
          retry: { attempts: 4, backoff: 1s, factor: 3, jitter: 0% }
          on_error: continue
          on_interrupt: hold
          fallback: { params: { model: ridge } }
          limits: { memory: 2GiB, open_files: 64, idle: true }
        - { name: gone, run: [./gone], enabled: false }
        - { name: second, run: [./second], after: first }
      hooks:
        before-train: [ { run: [./a, "${home}"], timeout: 5s, on_error: ignore }, { run: [./b] } ]
        on-arrival: []
      """)
    let loaded = workspace.pipelines()
    #expect(loaded.flatMap(\.diagnostics).map(\.rendered) == [])
    var pipeline = try #require(loaded.first?.version?.pipeline)
    pipeline.origin = nil
    let train = Stage(
      name: "train", uses: "tabular/train", program: ["${kit}/train.sh", "${params.horizon}"],
      params: ["horizon": 1], needs: ["first"], granularity: .fixed(.fine, said: true),
      levelParams: [.coarse: ["model": "boosted"], .medium: ["horizon": 2], .fine: ["horizon": 3]],
      sample: 0.05,
      timeout: .seconds(120),
      retry: RetryPolicy(attempts: 4, backoff: .seconds(1), factor: 3, jitter: 0), onError: .continue,
      onInterrupt: .hold, fallback: ["model": "ridge"],
      limits: ResourceLimits(memory: 2 << 30, openFiles: 64, idle: true), version: "1.0.0", pure: true)
    #expect(
      pipeline
        == Pipeline(
          name: "all", label: "1.0",
          trigger: PipelineTrigger(inbox: try NamePattern("*.csv"), priority: -3, onConfig: true),
          sources: [DataSource(type: "parquet", path: "a.parquet")],
          stages: [
            Stage(name: "first", program: ["./first"]),
            Stage(name: "second", program: ["./second"], needs: ["first"]), train,
            Stage(
              name: "later", program: ["./later"], needs: ["train", "first"],
              granularity: .fixed(.off, said: true)),
          ],
          hooks: [
            "before-train": [
              HookProgram(program: ["./a", "${home}"], timeout: .seconds(5), onError: .ignore),
              HookProgram(program: ["./b"]),
            ], "on-arrival": [],
          ], environment: ["LANG", "TOKEN"], vars: ["a": [1, "two"], "b": nil]))
  }
}
