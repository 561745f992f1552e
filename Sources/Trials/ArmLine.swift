import Foundation

/// What a unit of an arm gave.
struct Sample: Sendable, Equatable {
  /// `nil`: it crashed.
  var quality: Double?
  var cost: Double
  var rows: [Float]?

  init(_ observation: Observation) {
    quality = observation.quality.flatMap { $0.isFinite ? $0 : nil }
    cost = observation.cost
    rows = observation.rows
  }
}

/// The evidence on one arm: its blocks beside the control's, in order and without a gap.
struct ArmLine: Sendable {
  /// Blocks that still wait for one before them, or for the control's.
  var waiting: [Int: Sample] = [:]
  /// Differences of quality to the control.
  private(set) var differences = Moments()
  /// Logarithms of the cost as a share of the control's cost of the same block.
  private(set) var costs = Moments()
  private(set) var rows = PairedRows()
  /// The arm was ended at once, and why.
  private(set) var death: String?
  /// Blocks in which the arm crashed.
  private(set) var crashes = 0
  var accepted = false
  /// log of the threshold at which it was accepted.
  var threshold: Double?
  /// What the rows said at the last block.
  var rowGuard: RowGuard?
  /// The arm was given up, for its rows cannot certify the margin.
  var isUnresolvable = false

  var blocks: Int { differences.count }

  /// The block after those that count.
  var nextBlock: Int { blocks + 1 }

  /// Takes in the next block beside the control's.
  ///
  /// - Parameters:
  ///   - worst: the worst quality seen of any arm so far.
  ///   - deviation: standard deviation of this arm's differences as known before.
  mutating func take(_ sample: Sample, beside control: Sample, worst: Double, margin: Double, deviation: Double) {
    var difference: Double
    switch (sample.quality, control.quality) {
    case (let quality?, let reference?): difference = quality - reference
    // nothing speaks for the arm where the control failed
    case (_?, nil): difference = -margin
    // at least a catastrophe, for of some qualities the worst that was seen is not bad
    case (nil, let reference?): difference = min(0, worst, reference - 20 * margin) - reference
    case (nil, nil): difference = -20 * margin
    }
    if sample.quality == nil { crashes += 1 }
    difference = max(difference, -1e9 * margin)
    if difference < -8 * margin - 6 * deviation {
      death =
        sample.quality == nil
        ? "block \(nextBlock) crashed or timed out"
        : "block \(nextBlock) lost \(Words.number(-difference)), more than 8 margins and 6 deviations"
    }
    differences.add(difference)
    costs.add(sample.cost > 0 && control.cost > 0 ? log(sample.cost / control.cost) : 0)
    if let own = sample.rows, let others = control.rows { rows.add(own, beside: others) }
  }
}

/// Row scores of an arm beside the control's, summed over blocks.
struct PairedRows: Sendable {
  private(set) var blocks = 0
  private var differences: [Double] = []
  private var controls: [Double] = []

  /// Rows in another number than before say nothing, for they are not the same rows.
  mutating func add(_ rows: [Float], beside control: [Float]) {
    guard rows.count == control.count, blocks == 0 || rows.count == differences.count else { return }
    if blocks == 0 {
      differences = [Double](repeating: 0, count: rows.count)
      controls = differences
    }
    for index in rows.indices {
      differences[index] += Double(rows[index]) - Double(control[index])
      controls[index] += Double(control[index])
    }
    blocks += 1
  }

  /// `nil` without rows.
  func verdict(confidence: Double) -> RowGuard? {
    guard blocks > 0 else { return nil }
    let share = 1 / Double(blocks)
    return RowGuard(
      differences: differences.map { $0 * share }, control: controls.map { $0 * share }, confidence: confidence)
  }
}
