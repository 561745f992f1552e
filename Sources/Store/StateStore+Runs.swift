package import Core
package import Foundation
import GRDB

extension StateStore {
  /// Remembers a version for ever; the same one again changes nothing.
  package func register(_ version: PipelineVersion) async throws {
    let resolved = try version.pipeline.text()
    try await perform { database in
      try database.run(
        """
        INSERT INTO pipeline_version (digest, name, label, path, source, resolved, created)
        VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
        """,
        [
          version.digest, version.pipeline.name, version.pipeline.label, version.path, version.source,
          resolved,
          version.loaded.milliseconds,
        ])
    }
  }

  /// Records new runs, each with its first attempt, and gives them their numbers.
  ///
  /// A run whose id is known already is left as it is, attempt and all, and returned as it stands: recovery may
  /// claim again what it finds. A drop that a run made, or that may end a line, is left without its attempt.
  /// - Parameters:
  ///   - gate: the runs are committed when it opens; other changes wait for it too.
  ///   - drafted: told once, on the thread that writes, what stands at the gate: each with the attempt that begins.
  package func claim(_ claims: [NewRun]) async throws -> [Run] { try await claim(claims, when: nil).map(\.run) }

  /// - Returns: each with the attempt that has begun.
  package func claim(
    _ claims: [NewRun], when gate: CommitGate?, drafted: @escaping @Sendable ([NewRun]) -> Void = { _ in }
  ) async throws -> [NewRun] {
    try await perform(first: { result in
      if case .success = result { Failpoint.claimRecorded.pass() }
      gate?.recording.settle(result)
    }) { database in
      try Failpoint.claimRecording.hitStore()
      // a change that is made again keeps to what was told of it
      let drafts =
        try gate?.drafts?.map { try database.record($0, number: $0.run.number) }
        ?? claims.map { try database.record(try database.draft($0)) }
      try gate?.hold(drafts, telling: drafted)
      return drafts
    }
  }

  /// Lets a run wait until a moment, or until a person lets it go on.
  package func park(_ run: RunID, until moment: Date?, reason: String?, at now: Date) async throws {
    try await advance(Step(run: run, at: now, turn: .waits(until: moment, reason: reason)))
  }

  /// Ends a run that has no attempt running.
  package func end(_ run: RunID, _ ending: RunEnding, at now: Date) async throws {
    try await advance(Step(run: run, at: now, turn: .ends(ending)))
  }

  /// Records one move of a run.
  /// - Throws: `StoreError.conflict` where the run is unknown or has ended, or an attempt was closed before.
  package func advance(_ step: Step) async throws { try await advance([step]) }

  /// Records a move of each of these runs, all or none.
  package func advance(_ steps: [Step]) async throws {
    // nothing of such a run is to come, and whoever waits for its end can wait for some milliseconds
    let isEnd = steps.allSatisfy(\.isEnd)
    try await perform(isEnd ? .soon(.ends) : .now) { database in
      for step in steps { try database.record(step) }
      try Failpoint.stepRecording.hitStore()
    }
    Failpoint.stepRecorded.pass()
  }

  /// Records a move of a run beside whatever the caller prepares for what begins with it.
  ///
  /// Nothing that the move tells of may be begun before the recording is durable.
  /// - Throws: where nothing can be recorded any more; all other errors come from the recording.
  package func begin(_ step: Step) throws -> Permit {
    try checkInPlace()
    let recording = Permit()
    changes.submit({ database in
      try database.record(step)
      try Failpoint.stepRecording.hitStore()
    }) { result in
      if case .success = result { Failpoint.stepRecorded.pass() }
      recording.settle(result)
    }
    return recording
  }

  /// Closes attempts whose program died with the agent or the host; those already closed stay as they are.
  package func interrupt(_ attempts: [Attempt], reason: String, at now: Date) async throws {
    try await perform { database in
      for attempt in attempts {
        try database.run(
          """
          UPDATE attempt SET state = 'interrupted', ended = ?, reason = ?
          WHERE run = (SELECT number FROM run WHERE id = ?) AND stage = ? AND n = ? AND state = 'running'
          """,
          [now.milliseconds, reason.storable, attempt.run.text, attempt.stage, attempt.n])
      }
    }
  }
}

extension Database {
  /// What a claim comes to: of which line it is, and whether its attempt begins.
  fileprivate func draft(_ claim: NewRun) throws -> NewRun {
    var draft = claim
    try trace(&draft.run)
    if try draft.run.parent != nil || mayEndLine(draft.run) { draft.attempt = nil }
    if let attempt = draft.attempt {
      draft.run.state = .running
      draft.run.started = draft.run.started ?? attempt.started
    }
    return draft
  }

  /// Writes it, under the number that was told of it or the next one.
  fileprivate func record(_ draft: NewRun, number: Int? = nil) throws -> NewRun {
    var draft = draft
    guard try insert(draft.run, number: number) else { return NewRun(try run(draft.run.id) ?? draft.run) }
    draft.run.number = Int(lastInsertedRowID)
    if let attempt = draft.attempt { try insert(attempt, number: draft.run.number) }
    if let source = draft.source { try insert(source, of: draft.run) }
    return draft
  }

  fileprivate func record(_ step: Step) throws {
    let number = try open(step.run)
    for attempt in step.closed { try close(attempt, number: number) }
    for artifact in step.artifacts {
      try insert(artifact, number: number)
      try adoptChildren(of: number, id: step.run, made: artifact)
    }
    for call in step.hookCalls { try insert(call, number: number) }
    if let context = step.context {
      try run("UPDATE run SET context = ? WHERE number = ?", [try context.line(), number])
    }
    try mark(step.breakers, number: number, at: step.at)
    for attempt in step.opened { try insert(attempt, number: number) }
    try turn(number, step)
  }

  /// The number of a run that has not ended.
  fileprivate func open(_ id: RunID) throws -> Int {
    let place = try place(of: id)
    guard !place.state.isTerminal else {
      throw StoreError.conflict(
        "run \(place.number) has ended as `\(place.state.rawValue)`; a run that has ended does not change"
      )
    }
    return place.number
  }

  fileprivate func turn(_ number: Int, _ step: Step) throws {
    switch step.turn {
    case .goesOn:
      guard !step.opened.isEmpty else { return }
      try run(
        """
        UPDATE run SET state = 'running', started = coalesce(started, ?), resumes = NULL, reason = NULL
        WHERE number = ? AND state <> 'running'
        """,
        [step.at.milliseconds, number])
    case .waits(let moment, let reason):
      try run(
        "UPDATE run SET state = 'waiting', resumes = ?, reason = ? WHERE number = ?",
        [moment?.milliseconds, reason?.storable, number])
    case .ends(let ending):
      guard ending.state.isTerminal else {
        throw StoreError.conflict("a run does not end as `\(ending.state.rawValue)`")
      }
      try run(
        """
        UPDATE run SET state = ?, reason = ?, failed_stage = ?, ended = ?, resumes = NULL WHERE number = ?
        """,
        [ending.state.rawValue, ending.reason?.storable, ending.failedStage, step.at.milliseconds, number])
    }
  }
}
