package import Core
package import Foundation

/// Something that happened, as data; `LogWords` has the words.
package struct Event: Sendable {
  package var at: Date
  package var run: RunTag?
  package var stage: String?
  package var attempt: Int?
  package var kind: Kind
  /// Hides what may not be shown of it.
  package var mask: SecretMask?

  /// Enough of a run to name it.
  package struct RunTag: Sendable, Equatable {
    package var id: RunID
    package var number: Int
    package var pipeline: String

    package init(_ run: Run) {
      id = run.id
      number = run.number
      pipeline = run.pipeline
    }
  }

  package enum Kind: Sendable {
    case agentStarted(pid: Int32, home: String)
    case agentStopping(reason: String, running: Int, drain: Duration)
    /// Asked a second time.
    case agentStoppingNow(reason: String)
    case agentStopped
    case recovered(runs: Int, adopted: Int)

    case dropHeld(FileName, reason: String)
    case dropUnmatched(FileName, nearest: String?)
    case dropClaimed(FileName, bytes: Int)
    case dropQuarantined(FileName, reason: String)
    /// What a program put beside it was moved away.
    case dropCleared([FileName])
    case dropFiled(FileName?, to: Filing.Destination)
    case filingTroubled(String)
    case intakePaused(reason: String)
    case intakeResumed

    case runStarted(drop: FileName?, stages: [String])
    case runWaiting(until: Date?, reason: String)
    case runEnded(RunState, seconds: Double, reason: String?)

    case stageStarted(GranularityOpinion, sample: Double?)
    case stageEnded(Attempt)
    case stageRetried(after: Duration, reason: String)
    case itemFailed(id: String, tries: Int, reason: String)
    case outputLine([UInt8], hook: String?)
    case programDelayed(reason: String)
    /// What is remembered of the stage cannot be used: it is worked.
    case outcomeUnusable(reason: String)

    case hookCalled(HookCall)
    case hookRefused(event: String, program: String, reason: String)
    case hookWarned(program: String, warning: String)

    case trialBegan(Trial, arms: Int)
    case armEvaluated(trial: Int, arm: String, unit: String, quality: Double?, seconds: Double, reason: String?)
    /// It goes on another night.
    case trialPaused(Trial, reason: String)
    case trialEnded(Trial, reason: String)
    case trialRefused(pipeline: String, reason: String)
    /// What trials put in force is taken back.
    case policyDemoted(levels: String, reason: String)
    case ruleBroken(reason: String)

    case pipelineLoaded(name: String, path: String, isFirst: Bool)
    case pipelineInvalid(path: String, errors: Int, first: String, lastGoodInForce: Bool)
    case pipelineGone(name: String, path: String)
    /// It is in force, and this stage of it would fail.
    case stageUnable(path: String, stage: String, reason: String)

    case scheduled(ScheduleNews)

    case stateTroubled(String)
    case stateRecovered(String)
    case stateBackedUp(path: String, seconds: Double)
    case watched(WatchNews)
    case controlRefused(String)

    case clearedAway(runs: Int, bytes: Int)
    case clearingTroubled(String)
  }

  package init(at: Date, run: RunTag? = nil, stage: String? = nil, attempt: Int? = nil, _ kind: Kind) {
    self.at = at
    self.run = run
    self.stage = stage
    self.attempt = attempt
    self.kind = kind
  }
}
