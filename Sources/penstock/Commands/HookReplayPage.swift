import Core
import Engine

extension HookReplay: Answer {
  private var outcome: (decision: String, reason: String?) {
    switch verdict.decision {
    case .allow: ("allow", nil)
    case .deny(let reason): ("deny", reason)
    case .skip(let reason): ("skip", reason)
    case .defer(let wait, let reason): ("defer", "\(reason); again after \(Quantity.text(wait))")
    case .fail(let reason): ("fail", reason)
    }
  }

  func json() -> JSON {
    [
      "api": 1, "event": trial.envelope["event"] ?? .null, "source": .string(trial.source.rawValue),
      "envelope": trial.envelope, "calls": .array(calls.map(\.json)), "decision": .string(outcome.decision),
      "reason": outcome.reason.map { .string($0) } ?? .null, "params": verdict.params, "context": verdict.context,
      "granularity": verdict.granularity.map { .string($0.level.rawValue) } ?? .null,
    ]
  }

  func lines(_ output: Output) -> [String] {
    let number = trial.envelope["run"]?["number"].map(Shown.value) ?? ""
    var lines: [String] = []
    switch trial.source {
    case .sample: lines.append("on a sample envelope")
    case .recorded: lines.append("on the envelope that a hook of run \(number) got")
    case .rebuilt: lines.append("on an envelope rebuilt from what is recorded of run \(number)")
    }
    if calls.isEmpty { lines.append("no hook runs at this moment") }
    for call in calls { lines += call.lines(output) }
    let (decision, reason) = outcome
    lines.append("together: " + output.toned(decision, tone(decision)) + (reason.map { ": \(Shown.words($0))" } ?? ""))
    if verdict.params != (trial.envelope["stage"]?["params"] ?? .object([:])) {
      lines.append("  params  " + Shown.words((try? verdict.params.line()) ?? ""))
    }
    if verdict.context != (trial.envelope["context"] ?? .object([:])) {
      lines.append("  context " + Shown.words((try? verdict.context.line()) ?? ""))
    }
    if let level = verdict.granularity?.level { lines.append("  level   " + Shown.level(level)) }
    return lines
  }

  private func tone(_ decision: String) -> Output.Tone {
    decision == "allow" ? .good : decision == "fail" ? .bad : .odd
  }
}

extension HookReplay.Call {
  private var decision: String { reply?.decision.rawValue ?? "error" }

  private var patch: JSON? {
    let members = ["params": reply?.params, "context": reply?.context].compactMapValues { $0 }
    return members.isEmpty ? nil : .object(members)
  }

  var json: JSON {
    [
      "event": .string(hook.event), "program": .string(Display.escaped(hook.file.shown)),
      "pipeline": hook.pipeline.map { .string($0) } ?? .null, "decision": .string(decision),
      "reason": (reply?.reason ?? failure).map { .string($0) } ?? .null, "patch": patch ?? .null,
      "granularity": reply?.granularity.map { .string($0.rawValue) } ?? .null,
      "annotations": .object(reply?.annotations ?? [:]),
      "warnings": .array((reply?.warnings ?? []).map { .string($0) }),
      "wall_s": result.map { .number($0.usage.wall) } ?? .null, "cpu_s": result.map { .number($0.usage.cpu) } ?? .null,
    ]
  }

  func lines(_ output: Output) -> [String] {
    let tone: Output.Tone = failure != nil ? .bad : decision == "allow" ? .good : .odd
    let took = result.map { " after \(Shown.seconds($0.usage.wall))" } ?? ""
    var lines = [
      "\(hook.event)  \(Shown.words(hook.file.shown)): " + output.toned(HookDecision.words(decision), tone) + took
        + ((reply?.reason ?? failure).map { ": \(Shown.words($0))" } ?? "")
    ]
    if let patch { lines.append("  patch " + Shown.words((try? patch.line()) ?? "")) }
    if let level = reply?.granularity { lines.append("  level " + Shown.level(level)) }
    if let notes = reply?.annotations, !notes.isEmpty {
      lines.append("  annotations " + Shown.words((try? JSON.object(notes).line()) ?? ""))
    }
    lines += (reply?.warnings ?? []).map { "  warning: " + Shown.words($0) }
    return lines
  }
}
