import Core
import Foundation
import GRDB

extension Run {
  static let columns = """
    run.number, run.id, run.pipeline, run.version, run.state, run."trigger", run.drop_name, run.drop_bytes,
    run.drop_sha256, run.captures, run.options, run.created, run.started, run.ended, run.reason,
    run.failed_stage, run.filed, run.resumes, run.rerun_of, run.duplicate_of, run.parent, run.drop_modified,
    run.arrived, run.acknowledged_at, run.slot
    """

  init(row: Row) throws {
    var drop: Drop?
    if let name: Data = row["drop_name"] {
      drop = Drop(
        name: FileName(name), bytes: try row.value("drop_bytes"), sha256: row["drop_sha256"],
        captures: try row.json("captures"), modified: row["drop_modified"], arrived: row.date("arrived"))
    }
    self.init(
      id: try row.runID("id"), number: try row.value("number"),
      pipeline: try row.value("pipeline"), version: row["version"], state: try row.word("state"),
      trigger: try row.word("trigger"), drop: drop, options: try row.json("options"),
      created: try row.requiredDate("created"), started: row.date("started"), ended: row.date("ended"),
      reason: row["reason"], failedStage: row["failed_stage"], filed: try row.value("filed"),
      resumes: row.date("resumes"), rerunOf: (row["rerun_of"] as String?).flatMap(RunID.init),
      duplicateOf: (row["duplicate_of"] as String?).flatMap(RunID.init),
      parent: (row["parent"] as String?).flatMap(RunID.init),
      acknowledged: row.date("acknowledged_at"), slot: row.date("slot"))
  }
}

extension Database {
  /// Writes a run, under a number of its own or the next one; false where its id is known already.
  func insert(_ run: Run, number: Int? = nil) throws -> Bool {
    try self.run(
      """
      INSERT INTO run (number, id, pipeline, version, state, "trigger", drop_name, drop_bytes, drop_sha256, captures,
        options, created, started, ended, reason, failed_stage, filed, resumes, rerun_of, duplicate_of, parent,
        drop_modified, arrived, slot)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING
      """,
      [
        number, run.id.text, run.pipeline, run.version, run.state.rawValue, run.trigger.rawValue,
        run.drop.map { Data($0.name.bytes) }, run.drop?.bytes, run.drop?.sha256,
        try run.drop?.captures.text(),
        try run.options.text(), run.created.milliseconds, run.started?.milliseconds, run.ended?.milliseconds,
        run.reason?.storable, run.failedStage, run.filed, run.resumes?.milliseconds, run.rerunOf?.text,
        run.duplicateOf?.text, run.parent?.text, run.drop?.modified,
        run.drop?.arrived?.milliseconds, run.slot?.milliseconds,
      ])
    return changesCount == 1
  }

  /// The run as it stands; `nil` where there is none.
  func run(_ id: RunID) throws -> Run? {
    try runs("SELECT \(Run.columns) FROM run WHERE id = ?", [id.text]).first
  }

  /// The number and state of a run.
  /// - Throws: `StoreError.noRun`.
  func place(of id: RunID) throws -> (number: Int, state: RunState) {
    let statement = try cachedStatement(sql: "SELECT number, state FROM run WHERE id = ?")
    guard let row = try Row.fetchOne(statement, arguments: [id.text]) else {
      throw StoreError.noRun(.id(id))
    }
    return (try row.value("number"), try row.word("state"))
  }
}
