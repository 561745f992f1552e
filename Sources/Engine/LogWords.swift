package import Core

/// The words, the level and the keys of every line the agent logs; nothing else in the tree words a log line.
package enum LogWords {
  package static func record(of event: Event) -> LogRecord {
    let (level, message, fields) = words(event.kind)
    return LogRecord(
      time: event.at, level: level, message: message, run: event.run?.id, number: event.run?.number,
      pipeline: event.run?.pipeline, stage: event.stage, attempt: event.attempt,
      fields: event.mask.map { mask in fields.mapValues { mask.masked($0) } } ?? fields)
  }

  private typealias Words = (LogRecord.Level, String, [String: JSON])

  private static func words(_ kind: Event.Kind) -> Words {
    switch kind {
    case .agentStarted, .agentStopping, .agentStoppingNow, .agentStopped, .recovered, .watched, .controlRefused:
      agent(kind)
    case .stateTroubled, .stateRecovered, .stateBackedUp, .clearedAway, .clearingTroubled: state(kind)
    case .dropHeld, .dropUnmatched, .dropClaimed, .dropQuarantined, .dropCleared, .dropFiled, .filingTroubled,
      .intakePaused, .intakeResumed:
      intake(kind)
    case .runStarted, .runWaiting, .runEnded, .stageStarted, .stageEnded, .stageRetried, .itemFailed, .outputLine,
      .programDelayed, .outcomeUnusable:
      run(kind)
    case .hookCalled, .hookRefused, .hookWarned: hook(kind)
    case .pipelineLoaded, .pipelineInvalid, .pipelineGone, .stageUnable, .policyDemoted, .ruleBroken: pipeline(kind)
    case .trialBegan, .armEvaluated, .trialPaused, .trialEnded, .trialRefused: trial(kind)
    case .scheduled(let news): schedule(news)
    }
  }

  private static func agent(_ kind: Event.Kind) -> Words {
    switch kind {
    case .agentStarted(let pid, let home):
      (.info, "agent started", ["pid": .integer(Int(pid)), "home": .string(home)])
    case .agentStopping(let reason, let running, let drain):
      (
        .info, "agent is stopping",
        ["reason": .string(reason), "running": .integer(running), "drain_s": .number(drain / .seconds(1))]
      )
    case .agentStoppingNow(let reason): (.warning, "agent ends what runs", ["reason": .string(reason)])
    case .agentStopped: (.info, "agent stopped", [:])
    case .recovered(let runs, let adopted):
      (
        .notice, "took up what an earlier agent left",
        ["runs": .integer(runs), "adopted": .integer(adopted)]
      )
    case .watched(let news): watched(news)
    case .controlRefused(let reason): (.warning, "request refused", ["reason": .string(reason)])
    default: (.debug, "unworded", [:])
    }
  }

  private static func trial(_ kind: Event.Kind) -> Words {
    func fields(_ trial: Trial, _ reason: String) -> [String: JSON] {
      ["trial": .integer(trial.number), "of": .string(trial.pipeline), "reason": .string(reason)]
    }
    return switch kind {
    case .trialBegan(let trial, let arms):
      (
        .info, "trial began",
        ["trial": .integer(trial.number), "of": .string(trial.pipeline), "arms": .integer(arms)]
      )
    case .armEvaluated(let trial, let arm, let unit, let quality, let seconds, let reason):
      (
        reason == nil ? .info : .warning, "arm evaluated",
        [
          "trial": .integer(trial), "arm": .string(arm), "unit": .string(unit),
          "metric": quality.map { .number($0) } ?? .null, "cpu_s": .number(seconds),
          "reason": reason.map { .string($0) } ?? .null,
        ]
      )
    case .trialPaused(let trial, let reason): (.info, "trial paused", fields(trial, reason))
    case .trialEnded(let trial, let reason): (.notice, "trial ended", fields(trial, reason))
    case .trialRefused(let pipeline, let reason):
      (.warning, "no trial begins", ["of": .string(pipeline), "reason": .string(reason)])
    default: (.debug, "unworded", [:])
    }
  }

  private static func state(_ kind: Event.Kind) -> Words {
    switch kind {
    case .stateTroubled(let what): (.warning, "the database needs a person", ["reason": .string(what)])
    case .stateRecovered(let what): (.notice, "the database is well again", ["reason": .string(what)])
    case .stateBackedUp(let path, let seconds):
      (.info, "database backed up", ["path": .string(path), "seconds": .number(seconds)])
    case .clearedAway(let runs, let bytes):
      (.info, "old runs cleared away", ["runs": .integer(runs), "bytes": .integer(bytes)])
    case .clearingTroubled(let what): (.warning, "old files cannot be cleared away", ["reason": .string(what)])
    default: (.debug, "unworded", [:])
    }
  }

  private static func watched(_ news: WatchNews) -> Words {
    switch news {
    case .troubled(let what): (.warning, "watching is impaired", ["reason": .string(what)])
    case .mended(let what): (.notice, "watching is whole again", ["was": .string(what)])
    case .replaced: (.notice, "the inbox is another directory than before; it is looked at whole", [:])
    case .overflowed(let count):
      (.warning, "events were lost; the inbox is looked at whole", ["overflows": .integer(count)])
    case .mode(let mode): (.notice, "the inbox is watched", ["how": .string(mode.words)])
    }
  }

  private static func intake(_ kind: Event.Kind) -> Words {
    switch kind {
    case .dropHeld(let name, let reason):
      (.info, "drop is held", ["drop": .string(name.displayed), "reason": .string(reason)])
    case .dropUnmatched(let name, let nearest):
      (
        .warning, "no pipeline takes this drop; it stays in the inbox",
        ["drop": .string(name.displayed), "nearest": nearest.map { .string($0) } ?? .null]
      )
    case .dropClaimed(let name, let bytes):
      (.info, "drop claimed", ["drop": .string(name.displayed), "bytes": .integer(bytes)])
    case .dropQuarantined(let name, let reason):
      (.error, "drop quarantined", ["drop": .string(name.displayed), "reason": .string(reason)])
    case .dropCleared(let names):
      (
        .warning, "a program left files beside its drop; they lie in `drop.beside` of the run now",
        ["files": .array(names.map { .string($0.displayed) })]
      )
    case .dropFiled(let name, let destination):
      (
        .debug, "drop filed",
        ["drop": name.map { .string($0.displayed) } ?? .null, "to": .string(destination.rawValue)]
      )
    case .filingTroubled(let reason):
      (.warning, "an ended run's drop cannot be filed yet; trying again", ["reason": .string(reason)])
    case .intakePaused(let reason): (.warning, "intake is paused", ["reason": .string(reason)])
    case .intakeResumed: (.info, "intake goes on", [:])
    default: (.debug, "unworded", [:])
    }
  }

  private static func run(_ kind: Event.Kind) -> Words {
    switch kind {
    case .runStarted(let drop, let stages):
      (
        .info, "run started",
        [
          "drop": drop.map { .string($0.displayed) } ?? .null,
          "stages": .array(stages.map { .string($0) }),
        ]
      )
    case .runWaiting(_, let reason): (.info, "run is waiting", ["reason": .string(reason)])
    case .runEnded(let state, let seconds, let reason):
      (
        state == .done ? .notice : .error, "run ended",
        [
          "state": .string(state.rawValue), "seconds": .number(seconds),
          "reason": reason.map { .string($0) } ?? .null,
        ]
      )
    case .stageStarted(let choice, let sample):
      (
        .info, "stage started",
        [
          "granularity": .string(choice.level.rawValue), "granularity_reason": .string(choice.reason),
          "sample": sample.map { .number($0) } ?? .null,
        ]
      )
    case .stageEnded(let attempt): ended(attempt)
    case .stageRetried(let wait, let reason):
      (
        .warning, "stage will be tried again",
        ["wait_s": .number(wait / .seconds(1)), "reason": .string(reason)]
      )
    case .itemFailed(let id, let tries, let reason):
      (.warning, "item failed", ["item": .string(id), "tries": .integer(tries), "reason": .string(reason)])
    case .programDelayed(let reason):
      (.warning, "the machine has no room for a program; trying again", ["reason": .string(reason)])
    case .outcomeUnusable(let reason):
      (.warning, "what is remembered of the stage cannot be used; it is worked", ["reason": .string(reason)])
    case .outputLine(let bytes, let hook):
      (
        .info, "output",
        [
          "line": .string(String(decoding: bytes, as: UTF8.self)),
          "hook": hook.map { .string($0) } ?? .null,
        ]
      )
    default: (.debug, "unworded", [:])
    }
  }

  private static func ended(_ attempt: Attempt) -> Words {
    var fields: [String: JSON] = ["state": .string(attempt.state.rawValue)]
    if let usage = attempt.usage {
      fields["wall_s"] = .number(usage.wall)
      fields["cpu_s"] = .number(usage.cpu)
      fields["rss_bytes"] = usage.peakRSS.map { .integer($0) }
    }
    if let reason = attempt.reason { fields["reason"] = .string(reason) }
    for key in ["items", "items_failed"] { fields[key] = attempt.metrics[key] }
    switch attempt.state {
    case .ok, .skipped, .cached, .running: return (.info, "stage ended", fields)
    case .interrupted, .cancelled: return (.warning, "stage ended", fields)
    case .denied, .failed, .timeout: return (.error, "stage ended", fields)
    }
  }

  private static func hook(_ kind: Event.Kind) -> Words {
    switch kind {
    case .hookCalled(let call):
      (
        call.decision == .allow ? .info : .warning, "hook called",
        [
          "event": .string(call.event), "hook": .string(call.program),
          "decision": .string(call.decision.rawValue), "wall_s": .number(call.usage.wall),
          "reason": call.reason.map { .string($0) } ?? .null,
        ]
      )
    case .hookRefused(let event, let program, let reason):
      (
        .warning, "hook does not run",
        ["event": .string(event), "hook": .string(program), "reason": .string(reason)]
      )
    case .hookWarned(let program, let warning):
      (.warning, "hook warns", ["hook": .string(program), "warning": .string(warning)])
    default: (.debug, "unworded", [:])
    }
  }

  private static func pipeline(_ kind: Event.Kind) -> Words {
    switch kind {
    case .pipelineLoaded(let name, let path, let isFirst):
      (
        .info, isFirst ? "pipeline loaded" : "pipeline changed; new runs use the new version",
        ["name": .string(name), "path": .string(path)]
      )
    case .pipelineInvalid(let path, let errors, let first, let lastGood):
      (
        .error,
        lastGood
          ? "pipeline file is invalid; the last good version stays in force"
          : "pipeline file is invalid; it is not in force",
        ["path": .string(path), "errors": .integer(errors), "first": .string(first)]
      )
    case .policyDemoted(let levels, let reason):
      (
        .warning, "policy is taken back; everything is coarse",
        ["levels": .string(levels), "reason": .string(reason)]
      )
    case .ruleBroken(let reason): (.warning, "a rule cannot be evaluated", ["reason": .string(reason)])
    case .stageUnable(let path, let stage, let reason):
      (
        .warning, "a stage cannot run as things are",
        ["path": .string(path), "of": .string(stage), "reason": .string(reason)]
      )
    case .pipelineGone(let name, let path):
      (
        .warning, "pipeline file is gone; its runs end on the version they began with",
        ["name": .string(name), "path": .string(path)]
      )
    default: (.debug, "unworded", [:])
    }
  }
}
