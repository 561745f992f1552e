/// What happens to a drop whose content an earlier done drop of the same pipeline had.
package enum DuplicateRule: String, Sendable, Codable, CaseIterable {
  /// It is run, and says whose duplicate it is.
  case run
  /// It is filed in done, and nothing is run.
  case skip
}

/// What becomes of drops whose source can be removed, or must not be.
package enum SourceRule: String, Sendable, Codable, CaseIterable {
  /// A drop leaves the inbox when it is claimed.
  case move
  /// A drop is copied and stays in the inbox; each is taken once.
  case keep
}

/// What becomes of a drop that stays empty.
package enum EmptyRule: String, Sendable, Codable, CaseIterable {
  case run
  case quarantine
}
