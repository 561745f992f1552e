import Foundation

/// The one JSON object a program reads on stdin: a stage's, or a hook's around it (contract 1).
package struct Envelope: Sendable {
  package var api = 1
  /// `stage`, or the event of a hook.
  package var event: String
  package var run: RunPart?
  package var drop: DropPart?
  package var stage: StagePart?
  package var inputs: [FilePart]
  package var context: JSON
  /// Absolute path of the working directory; `nil` for hooks outside a stage.
  package var out: String?
  /// Absolute path of the workspace.
  package var home: String
  /// Absolute path of what the try before left for this one, inside `out`; `nil` where it left nothing.
  package var checkpoint: String?
  /// RFC 3339; `nil` where there is no limit.
  package var deadline: String?
  package var outcome: OutcomePart?
  package var outputs: [FilePart]?
  package var metrics: [String: JSON]?
  /// What was decided on a policy, see `Policy.json`; only of `on-verdict`.
  package var verdict: JSON?

  package init(
    event: String, run: RunPart?, drop: DropPart?, stage: StagePart?, inputs: [FilePart] = [],
    context: JSON = .object([:]), out: String? = nil, home: String, checkpoint: String? = nil,
    deadline: String? = nil, outcome: OutcomePart? = nil, outputs: [FilePart]? = nil, metrics: [String: JSON]? = nil,
    verdict: JSON? = Optional.none
  ) {
    self.event = event
    self.run = run
    self.drop = drop
    self.stage = stage
    self.inputs = inputs
    self.context = context
    self.out = out
    self.home = home
    self.checkpoint = checkpoint
    self.deadline = deadline
    self.outcome = outcome
    self.outputs = outputs
    self.metrics = metrics
    self.verdict = verdict
  }

  package struct RunPart: Sendable {
    package var id: RunID
    package var number: Int
    package var pipeline: String
    package var version: String
    package var slot: String?
    package var trial: TrialPart?

    package init(id: RunID, number: Int, pipeline: String, version: String) {
      self.id = id
      self.number = number
      self.pipeline = pipeline
      self.version = version
    }
  }

  /// Which arm of which trial it is evaluated for.
  package struct TrialPart: Sendable {
    package var id: RunID
    package var arm: String
    package var split: Split

    package init(id: RunID, arm: String, split: Split) {
      self.id = id
      self.arm = arm
      self.split = split
    }
  }

  package struct DropPart: Sendable {
    /// Escaped where it is not UTF-8; then `name_b64` stands beside it.
    package var name: String
    package var nameBase64: String?
    package var sha256: String?
    package var bytes: Int
    package var captures: [String: String]

    package init(_ drop: Drop) {
      name = drop.name.text ?? drop.name.displayed
      nameBase64 = drop.name.text == nil ? Data(drop.name.bytes).base64EncodedString() : nil
      sha256 = drop.sha256
      bytes = drop.bytes
      captures = drop.captures
    }
  }

  package struct StagePart: Sendable {
    package var name: String
    package var attempt: Int
    package var granularity: Granularity
    package var sample: Double?
    package var seed: Int
    package var params: [String: JSON]

    package init(
      name: String, attempt: Int, granularity: Granularity, sample: Double?, seed: Int,
      params: [String: JSON]
    ) {
      self.name = name
      self.attempt = attempt
      self.granularity = granularity
      self.sample = sample
      self.seed = seed
      self.params = params
    }
  }

  package struct FilePart: Sendable, Equatable {
    package var name: String
    /// Absolute.
    package var path: String
    /// The stage that left it; `nil` for the drop and for data sources.
    package var stage: String?
    package var sha256: String?
    package var bytes: Int

    package init(name: String, path: String, stage: String?, sha256: String?, bytes: Int) {
      self.name = name
      self.path = path
      self.stage = stage
      self.sha256 = sha256
      self.bytes = bytes
    }
  }

  /// What after-hooks are told.
  package struct OutcomePart: Sendable {
    package var state: String
    package var reason: String?
    package var exit: Int32?
    package var wall: Double?
    package var cpu: Double?
    package var peakRSS: Int?

    package init(state: String, reason: String?, termination: Termination?, usage: ResourceUsage?) {
      self.state = state
      self.reason = reason
      if case .exited(let code) = termination { exit = code }
      wall = usage?.wall
      cpu = usage?.cpu
      peakRSS = usage?.peakRSS
    }
  }
}
