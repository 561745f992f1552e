import Core
import Foundation
import Store

/// One run with everything that is remembered of it, for `show` and `run --wait`.
struct WholeRun: Sendable {
  var run: Run
  var attempts: [Attempt]
  var hooks: [HookCall]
  var artifacts: [Artifact]
  /// The stages of its version, in order.
  var stages: [String]
  /// The run this one repeats.
  var repeats: Run?
  /// The run whose content it has again, and the one that dropped its drop, as far as they are remembered.
  var related: [RunID: Run] = [:]
  /// How its attempts stand to the cache, by stage and number.
  var reuse: [String: [Int: Reuse]] = [:]
  /// How far its fan-out stages have come, by stage.
  var items: [String: ItemProgress] = [:]
  /// The first items that failed, by stage.
  var failedItems: [String: [ItemOutcome]] = [:]
  /// In what it went over the targets of its pipeline, a sentence each.
  var misses: [String] = []

  private static let few = 10

  static func read(_ reference: RunReference, _ reader: StateReader) async throws -> WholeRun {
    let run = try await reader.run(matching: reference)
    let version = try await run.version.asyncFlatMap { try await reader.version(digest: $0) }
    let items = try await reader.itemProgress(of: run.id)
    var failed: [String: [ItemOutcome]] = [:]
    for (stage, progress) in items where progress.failed > 0 {
      failed[stage] = try await reader.items(of: run.id, stage: stage, failed: true, limit: Self.few)
    }
    let attempts = try await reader.attempts(of: run.id)
    let misses = version.flatMap { version in
      version.pipeline.targets?.misses(of: run, attempts, metric: version.pipeline.metric)
    }
    return WholeRun(
      run: run, attempts: attempts,
      hooks: try await reader.hookCalls(of: run.id),
      artifacts: try await reader.artifacts(of: run.id), stages: version?.pipeline.stages.map(\.name) ?? [],
      repeats: try await RepeatedRun.of(run, reader),
      related: try await reader.runs(of: [run.duplicateOf, run.parent].compactMap { $0 }),
      reuse: try await reader.reuse(of: run.id), items: items,
      failedItems: failed, misses: misses ?? [])
  }

  /// `run 8`; its id where nothing is remembered of it any more.
  func name(of id: RunID?) -> String { id.map { "run " + (related[$0].map { "\($0.number)" } ?? $0.text) } ?? "" }

  /// The object of DESIGN 5.
  func json() -> JSON {
    guard case .object(var members) = RunJSON.summary(run, repeating: repeats) else { return .null }
    members["api"] = 1
    members["stages"] = .array(stageNames.map(stage))
    members["over_targets"] = .array(misses.map { .string($0) })
    members["report"] = report.map { .string("var/runs/\(run.id.text)/\($0.path)") } ?? .null
    members["hooks"] = .array(hooks.filter { $0.stage == nil }.map(RunJSON.hook))
    members["artifacts"] = .array(artifacts.map(RunJSON.artifact))
    return .object(members)
  }

  private func stage(_ name: String) -> JSON {
    let own = attempts.filter { $0.stage == name }.sorted { $0.n < $1.n }
    var members: [String: JSON] = [
      "name": .string(name), "state": .string(own.last?.state.rawValue ?? "pending"),
      "attempts": .array(own.map { RunJSON.attempt($0, reuse[name]?[$0.n]) }),
      "metrics": .object(own.last?.metrics ?? [:]), "data": .object(own.last?.data ?? [:]),
      "hooks": .array(hooks.filter { $0.stage == name }.map(RunJSON.hook)),
      "granularity": .null, "granularity_reason": .null,
      "reason": own.last?.reason.map { .string($0) } ?? .null,
    ]
    if let progress = items[name] {
      members["items"] = progress.json.merging(
        ["failures": .array((failedItems[name] ?? []).map(RunJSON.item))])
    }
    if let last = own.last {
      members["granularity"] = .string(last.granularity.level.rawValue)
      members["granularity_reason"] = .string(last.granularity.reason)
      members["granularity_authority"] = .string(last.granularity.authority.rawValue)
      members["sample"] = last.sample.map { .number($0) } ?? .null
      members["seed"] = .integer(last.seed)
    }
    return .object(members)
  }
}

/// The nouns as JSON, one word for one thing: DESIGN 5.
enum RunJSON {
  static func summary(_ run: Run) -> JSON { summary(run, repeating: nil) }

  /// - Parameter earlier: the run it repeats: without a drop of its own it reads that one's.
  static func summary(_ run: Run, repeating earlier: Run?) -> JSON {
    var members: [String: JSON] = [
      "id": .string(run.id.text), "number": .integer(run.number), "pipeline": .string(run.pipeline),
      "version": run.version.map { .string($0) } ?? .null, "state": .string(run.state.rawValue),
      "trigger": .string(run.trigger.rawValue), "slot": time(run.slot), "drop": .null,
      "drop_details": run.drop.map(drop) ?? .null,
      "created": .string(Timestamp.text(run.created)), "started": time(run.started), "ended": time(run.ended),
      "reason": run.reason.map { .string($0) } ?? .null,
      "failed_stage": run.failedStage.map { .string($0) } ?? .null,
      "resumes": time(run.resumes), "rerun_of": run.rerunOf.map { .string($0.text) } ?? .null,
      "duplicate_of": run.duplicateOf.map { .string($0.text) } ?? .null,
      "parent": run.parent.map { .string($0.text) } ?? .null,
      "repeats": earlier.map { .integer($0.number) } ?? .null, "acknowledged": time(run.acknowledged),
      "filed": .bool(run.filed),
    ]
    if let drop = run.drop ?? earlier?.told {
      members.merge(JSONName.members(of: drop.name, key: "drop")) { _, name in name }
    }
    return .object(members)
  }

  static func drop(_ drop: Drop) -> JSON {
    var members = JSONName.members(of: drop.name)
    members["bytes"] = .integer(drop.bytes)
    members["sha256"] = drop.sha256.map { .string($0) } ?? .null
    members["captures"] = .object(drop.captures.mapValues { .string($0) })
    return .object(members)
  }

  static func attempt(_ attempt: Attempt, _ reuse: Reuse?) -> JSON {
    var members: [String: JSON] = [
      "n": .integer(attempt.n), "state": .string(attempt.state.rawValue), "exit": .null, "signal": .null,
      "started": .string(Timestamp.text(attempt.started)), "ended": time(attempt.ended),
      "wall_s": attempt.usage.map { .number($0.wall) } ?? .null,
      "cpu_s": attempt.usage.map { .number($0.cpu) } ?? .null,
      "rss_bytes": attempt.usage?.peakRSS.map { .integer($0) } ?? .null,
      "reason": attempt.reason.map { .string($0) } ?? .null,
      "error": attempt.error.map { .string($0.code) } ?? .null, "again": time(attempt.again),
    ]
    if let reuse, reuse.source != nil || reuse.key != nil {
      members["cache"] = [
        "key": reuse.key.map { .string($0) } ?? .null, "from": reuse.source.map { .string($0.text) } ?? .null,
        "saved_wall_s": reuse.saved.map { .number($0.wall) } ?? .null,
        "saved_cpu_s": reuse.saved.map { .number($0.cpu) } ?? .null,
      ]
    }
    switch attempt.termination {
    case .exited(let code): members["exit"] = .integer(Int(code))
    case .signaled(let signal): members["signal"] = .integer(Int(signal))
    case .unstarted, nil: break
    }
    return .object(members)
  }

  static func hook(_ call: HookCall) -> JSON {
    var members: [String: JSON] = [
      "event": .string(call.event), "program": .string(Display.escaped(call.program)),
      "sha256": call.sha256.map { .string($0) } ?? .null, "at": .string(Timestamp.text(call.at)),
      "attempt": call.attempt.map { .integer($0) } ?? .null, "wall_s": .number(call.usage.wall),
      "cpu_s": .number(call.usage.cpu), "exit": .null, "timed_out": .bool(call.timedOut),
      "decision": .string(call.decision.rawValue), "reason": call.reason.map { .string($0) } ?? .null,
      "stderr": .string(call.stderrTail), "annotations": .object(call.annotations),
      "warnings": .array(call.warnings.map { .string($0) }), "signal": .null,
    ]
    switch call.termination {
    case .exited(let code): members["exit"] = .integer(Int(code))
    case .signaled(let signal): members["signal"] = .integer(Int(signal))
    case .unstarted: break
    }
    return .object(members)
  }

  static func item(_ outcome: ItemOutcome) -> JSON {
    [
      "id": .string(outcome.id), "index": .integer(outcome.index), "state": .string(outcome.state.rawValue),
      "tries": .integer(outcome.tries), "reason": outcome.reason.map { .string($0) } ?? .null,
    ]
  }

  static func artifact(_ artifact: Artifact) -> JSON {
    [
      "stage": .string(artifact.stage), "name": .string(artifact.name), "path": .string(artifact.path),
      "bytes": .integer(artifact.bytes), "sha256": .string(artifact.sha256),
    ]
  }

  static func time(_ date: Date?) -> JSON { date.map { .string(Timestamp.text($0)) } ?? .null }
}

extension ItemProgress {
  var json: JSON {
    [
      "total": total.map { .integer($0) } ?? .null, "done": .integer(done), "ok": .integer(ok),
      "failed": .integer(failed), "skipped": .integer(skipped),
    ]
  }
}

extension Optional {
  fileprivate func asyncFlatMap<Other>(_ transform: (Wrapped) async throws -> Other?) async rethrows -> Other? {
    guard let self else { return nil }
    return try await transform(self)
  }
}
