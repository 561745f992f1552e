package import Foundation

/// One try of a stage.
package struct Attempt: Sendable, Equatable {
  package var run: RunID
  package var stage: String
  /// The first is 1.
  package var n: Int
  package var state: AttemptState
  package var granularity: GranularityOpinion
  /// Fraction of the records, 0 < sample < 1; only with `medium`.
  package var sample: Double?
  package var seed: Int
  package var started: Date
  package var ended: Date?
  /// How the program ended; `nil` while it runs, and where none was started.
  package var termination: Termination?
  package var usage: ResourceUsage?
  /// Why it is not `ok`, in words.
  package var reason: String?
  package var metrics: [String: JSON]
  /// What the reply said of the data: `rows`, `bytes`, `complexity`.
  package var data: [String: JSON]
  /// JSON merge patches that hooks and the reply made to the context, in order.
  package var contextPatches: [JSON]
  /// What kind of failure it was, where it failed.
  package var error: StageError?
  /// When the stage is tried again, where it is.
  package var again: Date?
  /// How it stands to what was worked before; read apart from the attempt, see `StateReader.reuse(of:)`.
  package var reuse: Reuse?
  /// The boot the program was started in: after another boot it cannot be alive.
  package var boot: String

  package init(
    run: RunID, stage: String, n: Int, state: AttemptState = .running, granularity: GranularityOpinion,
    sample: Double? = nil, seed: Int, started: Date, ended: Date? = nil, termination: Termination? = nil,
    usage: ResourceUsage? = nil, reason: String? = nil, metrics: [String: JSON] = [:],
    data: [String: JSON] = [:], contextPatches: [JSON] = [], error: StageError? = nil, again: Date? = nil,
    reuse: Reuse? = nil, boot: String
  ) {
    self.run = run
    self.stage = stage
    self.n = n
    self.state = state
    self.granularity = granularity
    self.sample = sample
    self.seed = seed
    self.started = started
    self.ended = ended
    self.termination = termination
    self.usage = usage
    self.reason = reason
    self.metrics = metrics
    self.data = data
    self.contextPatches = contextPatches
    self.error = error
    self.again = again
    self.reuse = reuse
    self.boot = boot
  }
}

package enum AttemptState: String, Sendable, Codable, CaseIterable {
  case running
  case ok
  case skipped
  case cached
  case denied
  case failed
  case timeout
  case interrupted
  case cancelled

  /// Whether the stages that need it may go on.
  package var isGood: Bool { [.ok, .skipped, .cached].contains(self) }
}

/// How a program ended, in the words of wait(2).
package enum Termination: Sendable, Equatable, Codable {
  case exited(Int32)
  case signaled(Int32)
  /// It never ran: why not, with the path.
  case unstarted(String)
}

/// What a program and all its descendants used, from wait4(2) and getrusage(2).
package struct ResourceUsage: Sendable, Equatable, Codable {
  /// Seconds.
  package var wall: Double
  /// User and system time, seconds.
  package var cpu: Double
  /// Peak resident set of the largest process, bytes; `nil` where it cannot be known.
  package var peakRSS: Int?

  package init(wall: Double, cpu: Double, peakRSS: Int?) {
    self.wall = wall
    self.cpu = cpu
    self.peakRSS = peakRSS
  }
}

/// A file that a stage left.
package struct Artifact: Sendable, Equatable, Codable {
  package var stage: String
  package var name: String
  /// Relative to the directory of the run.
  package var path: String
  package var bytes: Int
  package var sha256: String

  package init(stage: String, name: String, path: String, bytes: Int, sha256: String) {
    self.stage = stage
    self.name = name
    self.path = path
    self.bytes = bytes
    self.sha256 = sha256
  }
}

/// One call of a hook.
package struct HookCall: Sendable, Equatable {
  package var run: RunID?
  package var stage: String?
  package var attempt: Int?
  /// The event by its name, such as `before-train`.
  package var event: String
  package var program: String
  package var sha256: String?
  package var at: Date
  package var usage: ResourceUsage
  package var termination: Termination
  package var timedOut: Bool
  package var decision: HookDecision
  package var reason: String?
  /// The last 4 KiB of what it wrote to stderr, secrets masked.
  package var stderrTail: String
  /// What it wishes to be remembered with the run.
  package var annotations: [String: JSON]
  package var warnings: [String]

  package init(
    run: RunID?, stage: String?, attempt: Int?, event: String, program: String, sha256: String?, at: Date,
    usage: ResourceUsage, termination: Termination, timedOut: Bool, decision: HookDecision, reason: String?,
    stderrTail: String, annotations: [String: JSON] = [:], warnings: [String] = []
  ) {
    self.run = run
    self.stage = stage
    self.attempt = attempt
    self.event = event
    self.program = program
    self.sha256 = sha256
    self.at = at
    self.usage = usage
    self.termination = termination
    self.timedOut = timedOut
    self.decision = decision
    self.reason = reason
    self.stderrTail = stderrTail
    self.annotations = annotations
    self.warnings = warnings
  }
}

/// A hook's answer.
///
/// `error` is none: what its `on_error` let pass or turned into a failure.
package enum HookDecision: String, Sendable, Codable, CaseIterable {
  case allow
  case deny
  case skip
  case `defer`
  case error
}
