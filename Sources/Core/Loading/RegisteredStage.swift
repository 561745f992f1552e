/// A manifest and the text it was read from.
package struct RegisteredStage: Sendable, Equatable {
  package var manifest: Manifest
  /// Part of the identity of every pipeline that uses it.
  package var text: String
  /// Where the manifest lies, for people.
  package var path: String

  package init(_ manifest: Manifest, text: String = "", path: String = "") {
    self.manifest = manifest
    self.text = text
    self.path = path
  }
}
