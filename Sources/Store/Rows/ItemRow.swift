import Core
import Foundation
import GRDB

extension ItemOutcome {
  init(row: Row) throws {
    self.init(
      stage: try row.value("stage"), index: try row.value("index"), id: try row.value("id"),
      state: try row.word("state"), tries: try row.value("tries"), reason: row["reason"], data: row["data"],
      digest: try row.value("digest"))
  }

  static let columns =
    #"item.stage, item."index", item.id, item.state, item.tries, item.reason, item.data, item.digest"#
}

extension ItemProgress {
  init(row: Row) throws {
    self.init(
      stage: try row.value("stage"), total: row["total"], ok: try row.value("ok"), failed: try row.value("failed"),
      skipped: try row.value("skipped"), kept: try row.value("kept"))
  }
}

extension Database {
  /// Writes what became of an item; an outcome that stands is never replaced by a failure.
  func insert(_ outcome: ItemOutcome, number: Int, at now: Int) throws {
    try run(
      """
      INSERT INTO item (run, stage, "index", id, state, tries, reason, data, digest, ended)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET id = excluded.id, state = excluded.state, tries = excluded.tries,
        reason = excluded.reason, data = excluded.data, digest = excluded.digest, ended = excluded.ended
      """,
      [
        number, outcome.stage, outcome.index, outcome.id, outcome.state.rawValue, outcome.tries,
        outcome.reason?.storable, outcome.data, outcome.digest, now,
      ])
  }
}
