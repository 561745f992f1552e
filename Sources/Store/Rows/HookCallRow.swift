import Core
import Foundation
import GRDB

extension HookCall {
  init(row: Row, run: RunID?) throws {
    guard let usage = row.usage(), let termination = row.termination() else {
      throw StoreError.conflict("the state has a hook call without its end")
    }
    self.init(
      run: run, stage: row["stage"], attempt: row["attempt"], event: try row.value("event"),
      program: try row.value("program"), sha256: row["sha256"], at: try row.requiredDate("at"),
      usage: usage, termination: termination, timedOut: try row.value("timed_out"),
      decision: try row.word("decision"), reason: row["reason"],
      stderrTail: try row.value("stderr_tail"),
      annotations: try row.jsonIfAny("annotations") ?? [:], warnings: try row.jsonIfAny("warnings") ?? [])
  }
}

extension Database {
  func insert(_ call: HookCall, number: Int?) throws {
    try run(
      """
      INSERT INTO hook_call (run, stage, attempt, event, program, sha256, at, wall_s, cpu_s, rss_bytes, "exit",
        signal, unstarted, timed_out, decision, reason, stderr_tail, annotations, warnings)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """,
      [
        number, call.stage, call.attempt, call.event, call.program, call.sha256, call.at.milliseconds,
        call.usage.wall, call.usage.cpu, call.usage.peakRSS, call.termination.exit, call.termination.signal,
        call.termination.unstarted, call.timedOut, call.decision.rawValue, call.reason?.storable,
        call.stderrTail.storable, call.annotations.isEmpty ? nil : try call.annotations.text(),
        call.warnings.isEmpty ? nil : try call.warnings.text(),
      ])
  }
}
