import Core
import Foundation
import GRDB

extension Trial {
  init(row: Row) throws {
    self.init(
      id: try row.runID("id"), number: try row.value("number"), pipeline: try row.value("pipeline"),
      version: try row.value("version"), state: try row.word("state"), origin: try row.word("origin"),
      data: try row.json("data"), definition: try row.value("definition"), stage: try row.value("stage"),
      rules: try row.json("rules"), plan: try row.json("plan"), created: try row.requiredDate("created"),
      ended: row.date("ended"), verdict: try row.jsonIfAny("verdict"), reason: row["reason"])
  }
}

extension TrialObservation {
  /// Without the scores of its rows.
  static let columns = """
    trial, n, arm, unit, state, quality, metric, cost_s, spent_s, NULL AS scores, rows, reason, began, ended
    """

  init(row: Row) throws {
    self.init(
      trial: try row.value("trial"), n: try row.value("n"), arm: try row.value("arm"), unit: try row.value("unit"),
      state: try row.word("state"), quality: row["quality"], metric: row["metric"], cost: try row.value("cost_s"),
      spent: try row.value("spent_s"), rows: (row["scores"] as Data?).map(Self.scores), rowKey: row["rows"],
      reason: row["reason"],
      began: try row.requiredDate("began"), ended: row.date("ended"))
  }

  private static func scores(_ data: Data) -> [Float] {
    let bytes = Array(data)
    return stride(from: 0, to: bytes.count - 3, by: 4).map { at in
      Float(
        bitPattern: (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[at + $1]) << UInt32(8 * $1) })
    }
  }

  var scores: Data? {
    rows.map { rows in
      var data = Data(capacity: rows.count * 4)
      for row in rows { withUnsafeBytes(of: row.bitPattern.littleEndian) { data.append(contentsOf: $0) } }
      return data
    }
  }
}
