package import Core

/// The directory `pipelines/` of a workspace.
package struct PipelineFolder: Sendable {
  /// An absolute path.
  private let workspace: String

  package init(workspace: String) { self.workspace = workspace }

  /// Reads every file once and checks them together; in the order of paths.
  ///
  /// - Parameter context: the registered stages, environment and settings they are checked against.
  package func load(_ context: PipelineCatalog.Context) -> [LoadedPipeline] {
    var documents: [PipelineDocument] = []
    var broken: [String: Diagnostic] = [:]
    var warnings: [String: [Diagnostic]] = [:]
    for name in ConfigurationTree.files(
      in: workspace + "/pipelines", endings: [".yaml", ".yml", ".json"])
    {
      let path = "pipelines/" + name
      do {
        let file = try ConfigurationFile.read(workspace + "/" + path, as: path)
        warnings[path] = file.warnings
        documents.append(PipelineDocument(path: path, text: file.text, root: try file.node()))
      } catch { broken[path] = error }
    }
    return PipelineCatalog(documents: documents, broken: broken, context: context).load().map { loaded in
      var loaded = loaded
      loaded.diagnostics = (warnings[loaded.path] ?? []) + loaded.diagnostics
      return loaded
    }
  }
}
