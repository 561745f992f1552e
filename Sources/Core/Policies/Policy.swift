package import Foundation

/// One step in what is in force for a pipeline: promoted by a trial, taken back, pinned by a person, let go.
///
/// Steps are only ever added: what stands is the latest of each kind, see `PolicyStanding`.
package struct Policy: Sendable, Equatable {
  /// The order of the steps, over all pipelines.
  package var number: Int
  package var pipeline: String
  package var state: State
  /// Level by stage; those of the policy that was taken back where it is `demoted`.
  package var levels: [String: Granularity]
  package var source: Source
  /// What the stages were when it was learned or pinned.
  package var basis: StageBasis
  /// Why, in words.
  package var reason: String
  package var since: Date

  package enum State: String, Sendable, Codable, CaseIterable {
    /// A verdict of a trial put it in force.
    case inForce = "in_force"
    /// It was taken back: everything is coarse until another trial.
    case demoted
    /// A person put it in force.
    case pinned
    /// A person let go of what was pinned.
    case unpinned
  }

  package enum Source: Sendable, Equatable {
    case trial(Int)
    case person
    /// The stages are not any more what it was learned on.
    case change

    package var words: String {
      switch self {
      case .trial(let number): "trial \(number)"
      case .person: "a person"
      case .change: "a change of the stages"
      }
    }
  }

  package init(
    number: Int = 0, pipeline: String, state: State, levels: [String: Granularity], source: Source,
    basis: StageBasis, reason: String, since: Date
  ) {
    self.number = number
    self.pipeline = pipeline
    self.state = state
    self.levels = levels
    self.source = source
    self.basis = basis
    self.reason = reason
    self.since = since
  }

  /// As `on-verdict` hooks and `policy` tell it.
  package var json: JSON {
    var trial: Int?
    if case .trial(let number) = source { trial = number }
    return [
      "pipeline": .string(pipeline), "state": .string(state.rawValue),
      "levels": .object(levels.mapValues { .string($0.rawValue) }), "trial": trial.map { .integer($0) } ?? .null,
      "by": .string(source.words), "reason": .string(reason), "since": .string(Timestamp.text(since)),
    ]
  }

  /// `clean=medium train=fine`.
  package static func text(_ levels: [String: Granularity]) -> String {
    levels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.rawValue)" }.joined(separator: " ")
  }
}

/// What stands for a pipeline: the latest word of trials, and what a person pinned over it.
package struct PolicyStanding: Sendable, Equatable {
  package var pipeline: String
  /// The latest that trials or a change of the stages had to say; `in_force` or `demoted`.
  package var verdict: Policy?
  /// What a person pinned and did not let go; it goes before `verdict`.
  package var pin: Policy?

  package init(pipeline: String, verdict: Policy? = nil, pin: Policy? = nil) {
    self.pipeline = pipeline
    self.verdict = verdict
    self.pin = pin
  }

  /// The step that decides; `nil` where there never was one.
  package var current: Policy? { pin ?? verdict }

  /// The levels that apply; none where nothing is in force.
  package var levels: [String: Granularity] {
    guard let current, current.state != .demoted else { return [:] }
    return current.levels
  }

  /// What it says of a stage that is `auto`; `nil` where it says nothing.
  package func opinion(on stage: String) -> GranularityOpinion? {
    guard let current, let level = current.levels[stage] else { return nil }
    let day = Timestamp.text(current.since).prefix(10)
    switch current.state {
    case .pinned: return GranularityOpinion(.policy, level, reason: "policy pinned by a person since \(day)")
    case .inForce: return GranularityOpinion(.policy, level, reason: "policy of \(current.source.words) since \(day)")
    case .demoted:
      return GranularityOpinion(.policy, .coarse, reason: "policy taken back \(day): \(current.reason)")
    case .unpinned: return nil
    }
  }
}
