package import Core

/// The directory `pipelines/` of a workspace.
package struct PipelineFolder: Sendable {
  /// An absolute path.
  private let workspace: String

  package init(workspace: String) { self.workspace = workspace }

  /// Reads every file once and checks them together; in the order of paths.
  ///
  /// - Parameters:
  ///   - context: the registered stages, environment and settings they are checked against.
  ///   - outside: files that lie elsewhere, by absolute path and the name diagnostics use; each stands in for a
  ///     file of the directory with the same pipeline in it.
  package func load(
    _ context: PipelineCatalog.Context, adding outside: [(absolute: String, shown: String)] = []
  ) -> [LoadedPipeline] {
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
    for (absolute, shown) in outside {
      do {
        let file = try ConfigurationFile.read(absolute, as: shown)
        warnings[shown] = file.warnings
        let document = PipelineDocument(path: shown, text: file.text, root: try file.node())
        documents.removeAll { $0.name?.text != nil && $0.name?.text == document.name?.text }
        documents.append(document)
      } catch { broken[shown] = error }
    }
    return PipelineCatalog(documents: documents, broken: broken, context: context).load().map { loaded in
      var loaded = loaded
      loaded.diagnostics = (warnings[loaded.path] ?? []) + loaded.diagnostics
      return loaded
    }
  }
}
