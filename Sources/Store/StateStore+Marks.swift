package import Core
import GRDB

extension StateStore {
  /// Records the digest of a run's drop, lower-case hex, before its first stage.
  /// - Returns: the run, with what the digest tells of it.
  @discardableResult
  package func setDigest(_ id: RunID, sha256: String) async throws -> Run {
    try await perform { database in
      guard var run = try database.run(id) else { throw StoreError.noRun(.id(id)) }
      try database.run(
        "UPDATE run SET drop_sha256 = ? WHERE number = ? AND coalesce(drop_sha256, ?) = ?",
        [sha256, run.number, sha256, sha256])
      guard database.changesCount == 1 else {
        throw StoreError.conflict("the drop of run \(run.number) has another digest already: its bytes changed")
      }
      run.drop?.sha256 = sha256
      try database.trace(&run)
      if run.duplicateOf != nil || run.parent != nil {
        try database.run(
          "UPDATE run SET duplicate_of = ?, parent = ? WHERE number = ?",
          [run.duplicateOf?.text, run.parent?.text, run.number])
      }
      return run
    }
  }

  /// The drops of these runs lie in done, failed or quarantine.
  package func filed(_ runs: [RunID]) async throws {
    try await perform(.soon(.marks)) { database in
      try Failpoint.filingRecording.hitStore()
      for run in runs { try database.run("UPDATE run SET filed = 1 WHERE id = ?", [run.text]) }
    }
  }

  /// Records hook calls outside a step: those of no run, or after a run has ended.
  package func record(_ calls: [HookCall]) async throws {
    try await perform { database in
      for call in calls {
        try database.insert(call, number: try call.run.map { try database.place(of: $0).number })
      }
    }
  }

  /// Remembers what a pipeline file looks like; `since` stays while neither its content nor its state changes.
  package func record(config: ConfigStatus) async throws {
    let diagnostics = try JSON.array(config.diagnostics).line()
    try await perform { database in
      try database.run(
        """
        INSERT INTO config (path, digest, state, diagnostics, since, active_digest) VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET
          since = iif(digest IS excluded.digest AND state = excluded.state, since, excluded.since),
          digest = excluded.digest, state = excluded.state, diagnostics = excluded.diagnostics,
          active_digest = excluded.active_digest
        """,
        [
          config.path, config.digest, config.state.rawValue, diagnostics, config.since.milliseconds,
          config.activeDigest,
        ])
    }
  }

  /// Forgets a pipeline file that is gone; its versions stay.
  package func forget(config path: String) async throws {
    try await perform { try $0.run("DELETE FROM config WHERE path = ?", [path]) }
  }

  /// An agent begins its work.
  package func record(agent: AgentRecord) async throws {
    try await perform { database in
      try database.run(
        """
        INSERT INTO agent (one, boot, pid, started, ended) VALUES (1, ?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET boot = excluded.boot, pid = excluded.pid, started = excluded.started,
          ended = excluded.ended
        """,
        [agent.boot, agent.pid, agent.started.milliseconds, agent.ended?.milliseconds])
    }
  }
}
