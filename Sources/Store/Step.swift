package import Core
package import Foundation

/// One move of a run, recorded whole or not at all: what ended, what it left, and what begins.
package struct Step: Sendable, Equatable {
  package var run: RunID
  package var at: Date
  /// Attempts that ended; one that never ran (cached, skipped, denied) need not have been begun.
  package var closed: [Attempt]
  package var artifacts: [Artifact]
  /// Hooks that were called since the last step.
  package var hookCalls: [HookCall]
  /// What the hooks before the run made of `context`; `nil` leaves what is recorded.
  package var context: JSON?
  /// What becomes of the breakers of the closed stages.
  package var breakers: [BreakerMark]
  /// Attempts that begin.
  package var opened: [Attempt]
  package var turn: Turn

  /// Where the run stands afterwards.
  package enum Turn: Sendable, Equatable {
    case goesOn
    /// Until this moment, or until a person lets it go on.
    case waits(until: Date?, reason: String?)
    case ends(RunEnding)
  }

  package init(
    run: RunID, at: Date, closed: [Attempt] = [], artifacts: [Artifact] = [], hookCalls: [HookCall] = [],
    context: JSON? = nil, breakers: [BreakerMark] = [], opened: [Attempt] = [], turn: Turn = .goesOn
  ) {
    self.run = run
    self.at = at
    self.closed = closed
    self.artifacts = artifacts
    self.hookCalls = hookCalls
    self.context = context
    self.breakers = breakers
    self.opened = opened
    self.turn = turn
  }

  /// Whether the run is over with it.
  var isEnd: Bool {
    if case .ends = turn { opened.isEmpty } else { false }
  }
}

/// How a run ended.
package struct RunEnding: Sendable, Equatable {
  /// A terminal state.
  package var state: RunState
  package var reason: String?
  package var failedStage: String?

  package init(_ state: RunState, reason: String? = nil, failedStage: String? = nil) {
    self.state = state
    self.reason = reason
    self.failedStage = failedStage
  }
}
