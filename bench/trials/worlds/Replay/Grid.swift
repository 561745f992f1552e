import Core
import Trials

/// A world of `bench/trials`: every arm on every fold of every block (bench/trials/README.md has the format).
struct Grid: Decodable {
  struct Stage: Decodable {
    var name: String
  }

  var margin: Double
  var alpha: Double
  var seed: UInt64
  var stages: [Stage]
  /// Levels in the order of the stages; the first is all coarse.
  var arms: [[Granularity]]
  var folds: Int
  /// The first blocks, whose folds are for screening alone.
  var screen: Int
  /// By arm, block and fold; more is better.
  var quality: [[[Double?]]]
  var cost: [[[Double?]]]
  var rows: [[Float]]?

  func plan(form: RacePlan.Form, guarding: RacePlan.Guarding, runsAhead: Double?) -> RacePlan {
    RacePlan(
      arms: arms.map { levels in Arm(Dictionary(uniqueKeysWithValues: zip(stages.map(\.name), levels))) },
      margin: margin, confidence: 1 - alpha, folds: folds, runsAhead: runsAhead, form: form,
      guarding: guarding, seed: seed)
  }

  /// `nil` where the grid has no more blocks.
  func observation(_ arm: Int, _ unit: Unit) -> Observation? {
    switch unit {
    case .screen(let fold):
      let index = fold - 1
      guard index < screen * folds else { return nil }
      let (block, of) = index.quotientAndRemainder(dividingBy: folds)
      return Observation(arm: arm, unit: unit, quality: quality[arm][block][of], cost: cost[arm][block][of] ?? 0)
    case .block(let number):
      let block = screen + number - 1
      guard block < quality[arm].count else { return nil }
      let scores = quality[arm][block].compactMap(\.self)
      return Observation(
        arm: arm, unit: unit, quality: scores.count == folds ? scores.reduce(0, +) / Double(folds) : nil,
        cost: cost[arm][block].reduce(0) { $0 + ($1 ?? 0) }, rows: rows?[arm])
    }
  }
}
