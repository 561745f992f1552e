/// What a trial is about; with the observations in order it decides everything the trial does.
package struct RacePlan: Sendable, Equatable, Codable {
  /// How much is screened before anything is confirmed.
  package enum Form: String, Sendable, Codable {
    /// Three rounds of 32, 24 and 16 single folds.
    case economical
    /// Twice as many, over twice as many folds: misses fewer good arms, costs more.
    case thorough
  }

  /// What becomes of an arm whose rows are too few to certify the margin.
  package enum Guarding: String, Sendable, Codable {
    /// It is not promoted: `unresolvable`.
    case required
    /// It is promoted, and the verdict says that the guard was relaxed.
    case relaxed
  }

  /// The control first.
  package var arms: [Arm]
  /// The loss of quality that is allowed, in the quality's own unit, of which more is better; above 0.
  package var margin: Double
  /// 1 − α, inside (0, 1).
  package var confidence: Double
  /// The floor of the e-process is `kappa · margin` for each block.
  package var kappa: Double
  /// Folds of one block.
  package var folds: Int
  /// Production runs expected to profit; `nil`: the trial does not stop for economy.
  package var runsAhead: Double?
  package var form: Form
  package var guarding: Guarding
  /// Everything random of the plan comes from it.
  package var seed: UInt64

  package init(
    arms: [Arm], margin: Double, confidence: Double = 0.95, kappa: Double = 0.25, folds: Int = 5,
    runsAhead: Double? = nil, form: Form = .economical, guarding: Guarding = .required, seed: UInt64
  ) {
    self.arms = arms
    self.margin = margin
    self.confidence = confidence
    self.kappa = kappa
    self.folds = folds
    self.runsAhead = runsAhead
    self.form = form
    self.guarding = guarding
    self.seed = seed
  }

  /// α: the probability allowed of ever promoting an inferior arm.
  package var error: Double { 1 - confidence }
  /// s0 of the e-processes, in the quality's unit.
  package var floor: Double { kappa * margin }
}
