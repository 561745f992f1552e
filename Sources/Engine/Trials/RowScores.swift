import Core

/// What the stage that gives the metric says of each held-out row: `{"rows":[…],"scores":[…]}`, more is better.
struct RowScores: Equatable {
  /// The output that has them.
  static let output = "row_scores"
  static let limit = 256 << 20

  var byRow: [String: Float]
  /// The metric whose unit the scores have; `nil` where it is not said: that of the trial.
  var metric: String?

  struct Malformed: Error, CustomStringConvertible {
    let description: String
  }

  init(parsing bytes: [UInt8]) throws {
    let json: JSON
    do { json = try JSON(parsing: bytes) } catch { throw Malformed(description: "\(error)") }
    guard let rows = json["rows"]?.array, let scores = json["scores"]?.array, rows.count == scores.count else {
      throw Malformed(description: "expected `rows` and `scores`, two lists of the same length")
    }
    var byRow: [String: Float] = [:]
    byRow.reserveCapacity(rows.count)
    for (row, score) in zip(rows, scores) {
      guard let score = score.double, score.isFinite else {
        throw Malformed(description: "`scores` has what is no number")
      }
      guard let name = row.string ?? row.double.map({ "\($0)" }) else {
        throw Malformed(description: "`rows` has what is neither a number nor text")
      }
      byRow[name] = Float(score)
    }
    guard byRow.count == rows.count else { throw Malformed(description: "`rows` names one twice") }
    self.byRow = byRow
    metric = json["metric"]?.string
  }
}
