/// What a pipeline was made from: all that is needed to make it again with other values of `vars`.
package struct PipelineOrigin: Sendable, Equatable, Codable {
  /// With `extends` merged and the environment filled in, before `vars` were.
  package var document: Node
  /// The manifests of the stages it uses, by name.
  package var manifests: [String: Manifest]
  /// Of hooks that do not say.
  package var hookTimeout: Duration

  package init(document: Node, manifests: [String: Manifest], hookTimeout: Duration) {
    self.document = document
    self.manifests = manifests
    self.hookTimeout = hookTimeout
  }
}

/// A pipeline that cannot be, with everything that is wrong with it.
package struct InvalidPipeline: Error, Equatable {
  package let diagnostics: [Diagnostic]

  package init(_ diagnostics: [Diagnostic]) { self.diagnostics = diagnostics }
}
