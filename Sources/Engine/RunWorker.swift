import Core
import Foundation
import Store

/// Works one run of the queue as far as it goes, whatever goes wrong with it.
struct RunWorker: Sendable {
  let bench: Workbench
  let book: PipelineBook
  /// Said when the agent ends now.
  let shutdown: Cancellation

  /// - Parameter onLastProgram: called when no program of the run is to come any more.
  /// - Returns: the run as it stands then, and what is to become of it.
  /// - Throws: what brings the agent down: the store cannot record any more.
  func work(
    _ entry: RunQueue.Entry, _ cancellation: Cancellation, onLastProgram: @escaping @Sendable () -> Void
  ) async throws -> (Run, RunExecutor.Disposition) {
    var run = try await self.run(of: entry)
    run.reads = try await bench.store.reader.dropOwner(of: run)?.drop
    do {
      // what it is now is only known after that
      let disposition = try await work(&run, entry, cancellation, onLastProgram)
      return (run, disposition)
    } catch {
      // of a run that is not on the record nothing can be
      try await entry.recording?.given()
      return (run, try await settle(run, after: error))
    }
  }

  private func work(
    _ run: inout Run, _ entry: RunQueue.Entry, _ cancellation: Cancellation,
    _ onLastProgram: @escaping @Sendable () -> Void
  ) async throws -> RunExecutor.Disposition {
    if run.state == .quarantined {
      let pipeline = book.pipelineInForce(of: run)
      try await executor(of: run, pipeline, cancellation).tellOfQuarantine()
      return .ended(.quarantined, reason: run.reason)
    }
    let pipeline = try await pipeline(of: run)
    if entry.opened == nil,
      let stop = try await Admission(bench: bench, cancellation: cancellation).check(&run, pipeline)
    {
      if run.state == .quarantined {
        try await executor(of: run, pipeline, cancellation).tellOfQuarantine()
      }
      return stop
    }
    let resolved = try pipeline.resolved(captures: run.told?.captures ?? [:], set: run.options.set)
    var executor = executor(of: run, resolved, cancellation, after: entry.recording)
    executor.onLastProgram = onLastProgram
    if let found = try await PolicyKeeper(bench: bench, book: book).find(for: run, pipeline) {
      executor.counsel.policy = found.standing
      if let demoted = found.demoted { try await executor.tell(of: demoted) }
    }
    return try await executor.execute(opened: entry.opened)
  }

  /// What becomes of a run that something other than its stages brought down.
  private func settle(_ run: Run, after error: any Error) async throws -> RunExecutor.Disposition {
    switch error {
    case let error as HostError where error.isShortage && !run.state.isTerminal:
      // not the run's fault: it goes on when there is room again
      return try await interruption.take(run, because: error.description)
    case let error as any RunProblem:
      return try await fail(run, error.words)
    case let error as EncodingError:
      return try await fail(run, "cannot be written as JSON: \(error)")
    case let error as any ProgramLost:
      // an ended run only had a hook to be told; it stays ended
      if run.state.isTerminal { return .ended(run.state, reason: run.reason) }
      return try await interruption.take(run, because: "\(error)")
    default: throw error
    }
  }

  /// The run of an entry that was queued without it.
  func run(of entry: RunQueue.Entry) async throws -> Run {
    if let run = entry.run { return run }
    return try await bench.store.reader.run(matching: .id(entry.id))
  }

  private func executor(
    of run: Run, _ pipeline: Pipeline, _ cancellation: Cancellation, after recording: Permit? = nil
  ) -> RunExecutor {
    RunExecutor(
      bench: bench.waiting(for: recording), run: run, pipeline: pipeline, cancellation: cancellation,
      shutdown: shutdown)
  }

  private var interruption: Interruption { Interruption(bench: bench, book: book) }

  /// Ends a run that something other than its stages brought down, whatever it was at.
  private func fail(_ run: Run, _ reason: String) async throws -> RunExecutor.Disposition {
    if run.state.isTerminal { return .ended(run.state, reason: run.reason) }
    let now = bench.now()
    let left = try await bench.store.reader.runningAttempts().filter { $0.run == run.id }.map { attempt in
      var attempt = attempt
      attempt.state = .failed
      attempt.reason = reason
      attempt.ended = now
      return attempt
    }
    let ending = RunEnding(.failed, reason: reason, failedStage: left.first?.stage)
    try await bench.store.advance(Step(run: run.id, at: now, closed: left, turn: .ends(ending)))
    bench.say(.runEnded(.failed, seconds: now.timeIntervalSince(run.started ?? now), reason: reason), run)
    return .ended(.failed, reason: reason)
  }

  private func pipeline(of run: Run) async throws -> Pipeline {
    let digest = run.version ?? ""
    if let known = book.pipeline(digest: digest) { return known }
    guard let version = try await bench.store.reader.version(digest: digest) else {
      throw HostError("the version `\(digest.prefix(12))` of pipeline `\(run.pipeline)` is not recorded")
    }
    book.remember(version.pipeline, digest: digest)
    return version.pipeline
  }
}
