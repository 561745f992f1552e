/// What of an arm is evaluated at a time.
package enum Unit: Sendable, Hashable, Codable {
  /// A single fold of the screening; its seeds are never those of a block.
  case screen(fold: Int)
  /// A complete evaluation over all folds with the block's seed: 1, 2, 3 … in order.
  case block(Int)
}

/// One measured evaluation of an arm.
package struct Observation: Sendable, Equatable, Codable {
  /// Index into the plan's arms.
  package var arm: Int
  package var unit: Unit
  /// More is better; `nil`: it crashed or timed out, which counts as the worst value, never as nothing.
  package var quality: Double?
  /// Cold cost of this unit, CPU seconds or what the user weighs.
  package var cost: Double
  /// Out-of-fold scores, one a row in a fixed order, NaN where a row had none; of blocks only, for the guard.
  package var rows: [Float]?

  package init(arm: Int, unit: Unit, quality: Double?, cost: Double, rows: [Float]? = nil) {
    self.arm = arm
    self.unit = unit
    self.quality = quality
    self.cost = cost
    self.rows = rows
  }
}

/// What became of an observation.
package enum Receipt: String, Sendable, Equatable {
  case recorded
  /// The arm has this unit already: the first counts, this one does not.
  case duplicate
  /// The plan has no such arm, or blocks begin with 1.
  case unknown
}
