import Core
import Foundation
import Host
import Testing

/// The repository is itself a workspace: what it ships must be as good as what it asks of others.
@Suite struct ShippedFilesTests {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

  @Test func `every shipped manifest is right`() {
    let (stages, diagnostics) = ManifestFolder(directory: Self.root + "/stages").load()
    #expect(diagnostics.map(\.rendered) == [])
    #expect(Set(stages.keys).isSuperset(of: ["tabular/ingest", "tabular/train", "tabular/report"]))
  }

  @Test func `every shipped pipeline is right`() {
    let stages = ManifestFolder(directory: Self.root + "/stages").load().stages
    let loaded = PipelineFolder(workspace: Self.root).load(
      PipelineCatalog.Context(
        stages: stages, environment: [:], settings: Settings(), now: .now, sha256: SHA256.hex))
    #expect(loaded.flatMap(\.diagnostics).map(\.rendered) == [])
    #expect(loaded.compactMap(\.version).count >= 3)
    #expect(loaded.first { $0.name == "base/tabular" }?.isBase == true)
  }

  @Test func `the sample of the guide loads without a warning`() throws {
    let workspace = try ConfiguredWorkspace()
    let guide = try String(contentsOfFile: Self.root + "/docs/pipelines.md", encoding: .utf8)
    let sample = try #require(guide.components(separatedBy: "```yaml\n").dropFirst().first)
    try workspace.write(
      "pipelines/fx-direction.yaml", sample.components(separatedBy: "```")[0])
    for file in ["pipelines/base/tabular.yaml"] {
      try workspace.write(file, String(contentsOfFile: Self.root + "/" + file, encoding: .utf8))
    }
    var context = workspace.context()
    context.stages = ManifestFolder(directory: Self.root + "/stages").load().stages
    let loaded = PipelineFolder(workspace: workspace.path).load(context)
    #expect(loaded.flatMap(\.diagnostics).map(\.message) == [])
    let pipeline = try #require(loaded.compactMap(\.version).first?.pipeline)
    #expect(
      pipeline.stages.map(\.name) == [
        "ingest", "validate", "clean", "features", "select", "train", "evaluate", "report", "publish",
      ])
    #expect(pipeline.stages.first { $0.name == "features" }?.params["horizon"] == 1)
    #expect(pipeline.stages.first { $0.name == "clean" }?.sample == 0.2)
  }
}
