import Trials

/// What evaluations of a trial really used, so that one is not begun for which the CPU time does not do.
struct EvaluationCosts: Sendable {
  /// CPU seconds of one fold of the control, where it is guessed.
  var guess: Double?
  private var dearest: [Int: Double] = [:]

  init(guess: Double? = nil) { self.guess = guess }

  /// - Parameter folds: of the unit that was evaluated.
  mutating func note(arm: Int, folds: Int, spent: Double) {
    dearest[arm] = max(dearest[arm] ?? 0, spent / Double(max(1, folds)))
  }

  /// About what an evaluation will use: what the arm did before, else what the control did; `nil` where nothing is known.
  func forecast(arm: Int, folds: Int) -> Double? {
    (dearest[arm] ?? dearest[0] ?? guess).map { $0 * Double(folds) }
  }
}
