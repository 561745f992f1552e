import Core
import Store

/// Whether a stage must be worked, or has an outcome already: of the run this one repeats, or of any with the same key.
struct StageReuse: Sendable {
  let bench: Workbench
  let run: Run
  let pipeline: Pipeline

  enum Finding {
    /// What it left is published as this attempt's.
    case taken(RememberedOutcome, [Artifact], Reuse)
    /// It was passed over there, and is here.
    case skipped(reason: String)
    /// To be worked; then this is remembered with it.
    case works(Reuse)
    /// What was asked for is not there any more.
    case refused(String)
  }

  /// - Parameter isTaken: the run this one repeats has an outcome of it, which was asked for.
  func look(
    at stage: Stage, _ part: Envelope.StagePart, _ inputs: [Envelope.FilePart], context: JSON, isTaken: Bool
  ) async throws -> Finding {
    if isTaken, let finding = try await takeFromEarlier(stage, part) { return finding }
    // what `each` stages did is remembered item by item
    guard stage.pure, stage.each == nil else { return .works(Reuse()) }
    var reuse: Reuse
    do {
      let parts = try KeyMaker(bench: bench, pipeline: pipeline).key(of: stage, part, inputs, context: context).parts
      let text = try parts.line()
      reuse = Reuse(key: bench.spool.digests.digest(of: Array(text.utf8)), parts: text)
    } catch let trouble as HostError {
      return .works(Reuse(note: "its key cannot be made: \(trouble)"))
    }
    let mayTake = run.options.useCache && run.options.from != stage.name
    guard mayTake, let key = reuse.key, let known = try await bench.store.reader.cached(key: key) else {
      return .works(reuse)
    }
    do {
      let artifacts = try bench.spool.republish(
        known.artifacts, of: known.run, as: run.id, stage: stage.name, n: part.attempt)
      reuse.source = known.run
      reuse.context = known.reuse.context
      reuse.saved = known.cost
      return .taken(known, artifacts, reuse)
    } catch let stale as StaleArtifact {
      try await bench.store.forgetCached(key: key, of: known.run)
      reuse.note = "what run \(known.number) left cannot be used: \(stale)"
    } catch let trouble as HostError {
      reuse.note = "what run \(known.number) left cannot be copied: \(trouble)"
    }
    bench.say(.outcomeUnusable(reason: reuse.note ?? ""), run, stage: stage.name, attempt: part.attempt)
    return .works(reuse)
  }

  /// The stages of this run that are taken from the one it repeats, as `rerun` asked.
  func taken() async throws -> Set<String> {
    guard run.options.takesFromEarlier, let earlier = run.rerunOf else { return [] }
    let reader = bench.store.reader
    var before = try await reader.run(matching: .id(earlier))
    before.reads = try await reader.dropOwner(of: before)?.drop
    // a person changed the file before it was tried again: what was made of the old one is of no use
    if let now = run.told?.sha256, let then = before.told?.sha256, now != then { return [] }
    let last = Dictionary(try await reader.attempts(of: earlier).map { ($0.stage, $0) }) { _, later in later }
    var settled = Set(last.values.filter { $0.state.isGood }.map(\.stage))
    if run.options.failedOnly {
      // one that let some items fail ended well, and they are what is asked for
      for (stage, progress) in try await reader.itemProgress(of: earlier) where progress.failed > 0 {
        settled.remove(stage)
      }
    }
    return ReusePlan(stages: pipeline.stages, settled: settled, from: run.options.from).taken
  }

  /// `nil` where nothing is to be taken.
  private func takeFromEarlier(_ stage: Stage, _ part: Envelope.StagePart) async throws -> Finding? {
    guard let earlier = run.rerunOf,
      let known = try await bench.store.reader.outcome(of: earlier, stage: stage.name)
    else { return nil }
    if known.attempt.state == .skipped {
      // its condition did not hold there, and does now
      if stage.when != nil { return nil }
      return .skipped(reason: "skipped in run \(known.number)" + (known.attempt.reason.map { ": \($0)" } ?? ""))
    }
    do {
      let artifacts = try bench.spool.republish(
        known.artifacts, of: known.run, as: run.id, stage: stage.name, n: part.attempt)
      let reuse = Reuse(context: known.reuse.context, source: known.run, saved: known.cost)
      return .taken(known, artifacts, reuse)
    } catch let stale as StaleArtifact {
      return .refused(
        "what run \(known.number) left cannot be taken: \(stale); `penstock rerun \(known.number) --from "
          + "\(stage.name)` works it again")
    } catch let trouble as HostError {
      return .refused("what run \(known.number) left cannot be taken: \(trouble)")
    }
  }
}
