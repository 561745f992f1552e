import Core
import GRDB

extension Artifact {
  init(row: Row) throws {
    self.init(
      stage: try row.value("stage"), name: try row.value("name"),
      path: try row.value("path"), bytes: try row.value("bytes"),
      sha256: try row.value("sha256"))
  }
}

extension Database {
  /// Writes an artifact; a later attempt's takes the place of an earlier one's.
  func insert(_ artifact: Artifact, number: Int) throws {
    try run(
      """
      INSERT INTO artifact (run, stage, name, path, bytes, sha256) VALUES (?, ?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET path = excluded.path, bytes = excluded.bytes, sha256 = excluded.sha256
      """,
      [number, artifact.stage, artifact.name, artifact.path, artifact.bytes, artifact.sha256])
  }
}
