package import Foundation

/// What the agent last saw of one pipeline file.
package struct ConfigStatus: Sendable, Equatable {
  /// Relative to the workspace.
  package var path: String
  /// Of the content last seen; `nil` where it could not be read.
  package var digest: String?
  package var state: State
  /// What is wrong with it, as `check --json` says it.
  package var diagnostics: [JSON]
  /// When it came to be in this state with this content.
  package var since: Date
  /// The version in force: with an invalid file the last good one, `nil` where there never was one.
  package var activeDigest: String?

  package enum State: String, Sendable, Codable, CaseIterable {
    case valid
    case invalid
  }

  package init(
    path: String, digest: String?, state: State, diagnostics: [JSON] = [], since: Date, activeDigest: String?
  ) {
    self.path = path
    self.digest = digest
    self.state = state
    self.diagnostics = diagnostics
    self.since = since
    self.activeDigest = activeDigest
  }
}
