import Core
import Foundation
import Store

/// What the work on a graph has come to and is not yet recorded.
struct GraphWork {
  /// What begins as one: a stage, or consecutive `each` stages through which items flow.
  typealias Unit = [(stage: Stage, attempt: Attempt)]

  /// Why nothing more of a run is begun.
  enum Halt: Sendable {
    case ends(RunEnding)
    /// It waits for a person.
    case holds(reason: String)
    /// It goes on when the agent is back.
    case pauses(reason: String)

    /// What a failure says goes before what an interruption does.
    private var rank: Int {
      switch self {
      case .ends: 2
      case .holds: 1
      case .pauses: 0
      }
    }

    func outranks(_ other: Halt?) -> Bool { other.map { rank > $0.rank } ?? true }
  }

  /// Attempts that have ended: recorded together with what begins next, or with the end of the run.
  var closing: [StageExecutor.Ended] = []
  private(set) var halt: Halt?
  /// Units at work.
  var running = 0
  /// Places taken beside the run's own.
  var extras = 0
  /// Whether a unit is ready and waits for a place.
  var isSqueezed = false
  /// A stage that is ready and whose limit is reached.
  var crowded: (key: Turnstile.Key, limit: Int)?

  init(closing: [StageExecutor.Ended] = []) { self.closing = closing }

  mutating func halt(_ halt: Halt) {
    if halt.outranks(self.halt) { self.halt = halt }
  }

  mutating func takeClosing() -> [StageExecutor.Ended] {
    defer { closing = [] }
    return closing
  }
}

extension Step {
  /// A step that closes attempts with what they left.
  init(
    _ ended: [StageExecutor.Ended], of session: inout RunSession, at now: Date, opened: [Attempt] = [],
    turn: Turn = .goesOn
  ) {
    self.init(
      run: session.run.id, at: now, closed: ended.map(\.attempt), artifacts: ended.flatMap(\.artifacts),
      hookCalls: session.takeHookCalls(), context: session.context.changedBase, breakers: ended.compactMap(\.breaker),
      opened: opened, turn: turn)
  }
}
