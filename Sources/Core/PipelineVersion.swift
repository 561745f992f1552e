package import Foundation

/// One content of a pipeline: what a run keeps to its end, whatever happens to the file.
package struct PipelineVersion: Sendable, Equatable {
  /// SHA-256, lower-case hex, of everything that went into it: the files of the `extends` chain and the
  /// manifests it uses.
  package var digest: String
  package var pipeline: Pipeline
  /// The exact text of the file.
  package var source: String
  /// Relative to the workspace.
  package var path: String
  package var loaded: Date

  package init(digest: String, pipeline: Pipeline, source: String, path: String, loaded: Date) {
    self.digest = digest
    self.pipeline = pipeline
    self.source = source
    self.path = path
    self.loaded = loaded
  }
}
