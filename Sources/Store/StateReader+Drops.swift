package import Core
import Foundation
import GRDB

extension StateReader {
  /// Runs on drops of this name, the newest first.
  package func runs(onDrop name: FileName, limit: Int) async throws -> [Run] {
    try await read { database in
      try database.runs(
        "SELECT \(Run.columns) FROM run INDEXED BY run_by_drop WHERE drop_name = ? ORDER BY number DESC LIMIT ?",
        [Data(name.bytes), limit])
    }
  }

  /// Those of these runs that are remembered, by id.
  package func runs(of ids: [RunID]) async throws -> [RunID: Run] {
    try await read { database in
      var known: [RunID: Run] = [:]
      for id in ids { known[id] = try database.run(id) }
      return known
    }
  }

  /// The run that repeats this one on the same drop; `nil` where none does.
  package func repetition(of run: RunID) async throws -> Run? {
    try await read { try $0.repetition(of: run) }
  }

  /// How many hooks of these runs went wrong and were let pass, by run.
  package func hookFailures(of runs: [RunID]) async throws -> [RunID: Int] {
    try await read { database in
      let statement = try database.cachedStatement(
        sql: """
          SELECT count(*) FROM run JOIN hook_call INDEXED BY hook_call_by_run ON hook_call.run = run.number
          WHERE run.id = ? AND hook_call.run IS NOT NULL AND hook_call.decision = 'error'
          """)
      var failures: [RunID: Int] = [:]
      for run in runs {
        let count = try Int.fetchOne(statement, arguments: [run.text]) ?? 0
        if count > 0 { failures[run] = count }
      }
      return failures
    }
  }
}
