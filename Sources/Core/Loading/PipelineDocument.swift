/// A pipeline file that could be read.
package struct PipelineDocument: Sendable, Equatable {
  /// Relative to the workspace: `pipelines/fx.yaml`.
  package var path: String
  /// The exact text.
  package var text: String
  package var root: Node

  package init(path: String, text: String, root: Node) {
    self.path = path
    self.text = text
    self.root = root
  }

  /// `pipeline: { name: … }`, unchecked.
  package var name: Node? { root["pipeline"]?["name"] }

  /// Only there to be extended: it lies in `pipelines/base/` and nothing triggers it.
  package var isBase: Bool { path.hasPrefix("pipelines/base/") && root["trigger"] == nil }
}

/// What became of one pipeline file.
package struct LoadedPipeline: Sendable, Equatable {
  package var path: String
  /// `nil` where the file does not get as far as a name.
  package var name: String?
  /// A base is checked but takes no drops and cannot be run.
  package var isBase: Bool
  /// `nil` where something is wrong, and for a base.
  package var version: PipelineVersion?
  /// In the order of the file; they may be about a file it extends.
  package var diagnostics: [Diagnostic]

  package init(
    path: String, name: String? = nil, isBase: Bool = false, version: PipelineVersion? = nil,
    diagnostics: [Diagnostic] = []
  ) {
    self.path = path
    self.name = name
    self.isBase = isBase
    self.version = version
    self.diagnostics = diagnostics
  }

  package var isValid: Bool { !diagnostics.hasErrors }
}
