import Core
import Foundation
import Host
import Store

/// What the files of a workspace say: stages, pipelines, and everything that is wrong with them.
struct Registry: Sendable {
  let stages: [String: RegisteredStage]
  let stageDiagnostics: [Diagnostic]
  let pipelines: [LoadedPipeline]
  /// The kit's directory; `nil` where there is none.
  let kit: String?

  /// - Parameter outside: pipelines that lie elsewhere, by absolute path and the name diagnostics use.
  init(
    workspace: Workspace, settings: Settings, environment: [String: String],
    outside: [(absolute: String, shown: String)] = []
  ) {
    let kit = Kit(
      settings: settings, workspace: workspace, environment: environment, program: Machine.programDirectory())
    self.kit = kit.directory
    var folders: [ManifestFolder] = []
    if let directory = kit.directory { folders.append(ManifestFolder(directory: directory)) }
    // the workspace's own come last: they win
    if kit.directory != workspace.stages { folders.append(ManifestFolder(directory: workspace.stages)) }
    var stages: [String: RegisteredStage] = [:]
    var diagnostics: [Diagnostic] = []
    for folder in folders {
      let loaded = folder.load()
      stages.merge(loaded.stages) { _, own in own }
      diagnostics += loaded.diagnostics
    }
    self.stages = stages
    stageDiagnostics = diagnostics
    let zones = ZoneFiles(environment: environment)
    let context = PipelineCatalog.Context(
      stages: stages, environment: environment, settings: settings, now: Date(), sha256: { SHA256.hex($0) },
      condition: { Condition.problem(in: $0) }, rule: { Rule.problem(in: $0) }, isZone: { zones.rules($0) != nil })
    let shared = kit.directory.map { ($0 as NSString).deletingLastPathComponent + "/pipelines" }
    pipelines = PipelineFolder(workspace: workspace.home, shared: shared).load(context, adding: outside)
  }
}
