/// How an attempt stands to what was worked before: what its outcome depended on, and where it was taken from.
package struct Reuse: Sendable, Equatable {
  /// SHA-256 of `parts`, lower-case hex; `nil` where the stage is not `pure`.
  package var key: String?
  /// The parts of its `CacheKey`, one line of JSON.
  package var parts: String?
  /// What its reply put into `context`, a merge patch.
  package var context: JSON
  /// The run whose outcome it has; `nil` where it was worked.
  package var source: RunID?
  /// What its program took when it was worked: what was saved now.
  package var saved: ResourceUsage?
  /// Why what is remembered was not taken, where its parts do not tell: words.
  package var note: String?

  package init(
    key: String? = nil, parts: String? = nil, context: JSON = .object([:]), source: RunID? = nil,
    saved: ResourceUsage? = nil, note: String? = nil
  ) {
    self.key = key
    self.parts = parts
    self.context = context
    self.source = source
    self.saved = saved
    self.note = note
  }

  /// Whether there is anything to be remembered.
  package var isEmpty: Bool { self == Reuse() }
}

/// An outcome that is remembered, and what it left.
package struct RememberedOutcome: Sendable, Equatable {
  package var run: RunID
  package var number: Int
  /// The attempt, with its metrics and data.
  package var attempt: Attempt
  package var artifacts: [Artifact]
  package var reuse: Reuse

  package init(run: RunID, number: Int, attempt: Attempt, artifacts: [Artifact], reuse: Reuse) {
    self.run = run
    self.number = number
    self.attempt = attempt
    self.artifacts = artifacts
    self.reuse = reuse
  }

  /// What its program took when it was worked.
  package var cost: ResourceUsage? { attempt.usage ?? reuse.saved }
}
