import Core
import Foundation
import GRDB

extension Reuse {
  static let columns = """
    reuse."key", reuse.parts, reuse.context, reuse.source, reuse.saved_wall_s, reuse.saved_cpu_s,
    reuse.saved_rss_bytes, reuse.note
    """

  init(row: Row) throws {
    var saved: ResourceUsage?
    if let wall: Double = row["saved_wall_s"], let cpu: Double = row["saved_cpu_s"] {
      saved = ResourceUsage(wall: wall, cpu: cpu, peakRSS: row["saved_rss_bytes"])
    }
    self.init(
      key: row["key"], parts: row["parts"], context: try row.json("context"),
      source: (row["source"] as String?).flatMap(RunID.init), saved: saved, note: row["note"])
  }
}

extension Database {
  /// Writes how an attempt that ended stands to the cache, and lets later ones find it there.
  func insert(_ reuse: Reuse, of attempt: Attempt, number: Int) throws {
    if reuse.isEmpty { return }
    try run(
      """
      INSERT INTO reuse (run, stage, n, "key", parts, context, source, saved_wall_s, saved_cpu_s, saved_rss_bytes, note)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
      """,
      [
        number, attempt.stage, attempt.n, reuse.key, reuse.parts?.storable, try reuse.context.line(),
        reuse.source?.text, reuse.saved?.wall, reuse.saved?.cpu, reuse.saved?.peakRSS, reuse.note?.storable,
      ])
    guard let key = reuse.key, [.ok, .cached].contains(attempt.state) else { return }
    let now = (attempt.ended ?? attempt.started).milliseconds
    try run(
      """
      INSERT INTO cache ("key", run, stage, n, created, used) VALUES (?, ?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET run = excluded.run, stage = excluded.stage, n = excluded.n, used = excluded.used,
        created = iif(?, created, excluded.created)
      """,
      [key, number, attempt.stage, attempt.n, now, now, attempt.state == .cached])
  }
}
