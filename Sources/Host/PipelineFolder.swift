package import Core

/// The directory `pipelines/` of a workspace.
package struct PipelineFolder: Sendable {
  /// An absolute path.
  private let workspace: String
  /// A directory `pipelines/` beside the kit, whose `base/` any workspace may extend; `nil` where there is none.
  private let shared: String?

  package init(workspace: String, shared: String? = nil) {
    self.workspace = workspace
    self.shared = shared
  }

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
    let lent = lent(besides: Set(documents.map(\.path)).union(broken.keys))
    let catalog = PipelineCatalog(documents: documents + lent, broken: broken, context: context)
    return catalog.load().filter { loaded in !lent.contains { $0.path == loaded.path } }.map { loaded in
      var loaded = loaded
      loaded.diagnostics = (warnings[loaded.path] ?? []) + loaded.diagnostics
      return loaded
    }
  }

  /// Bases of the kit that the workspace has none of its own for; only there to be extended.
  private func lent(besides own: Set<String>) -> [PipelineDocument] {
    guard let shared, shared != workspace + "/pipelines" else { return [] }
    return ConfigurationTree.files(in: shared + "/base", endings: [".yaml", ".yml", ".json"]).compactMap { name in
      let path = "pipelines/base/" + name
      guard !own.contains(path), let file = try? ConfigurationFile.read(shared + "/base/" + name, as: path),
        let root = try? file.node()
      else { return nil }
      return PipelineDocument(path: path, text: file.text, root: root)
    }
  }
}
