/// What trials of a pipeline may use of the processor in one night, CPU seconds, and why.
///
/// At most what the pipeline says, and over some weeks no more than a share of what its runs used and half of what
/// verdicts saved.
package struct NightBudget: Sendable, Equatable {
  /// What counts lies in so many days.
  package static let days = 28

  /// `trials: { budget }`.
  package var configured: Double
  /// `trials: { share }`.
  package var share: Double
  /// What the runs of the pipeline used in these days.
  package var production: Double
  /// What they would have used besides, but for a verdict.
  package var saved: Double
  /// What trials of the pipeline used in these days.
  package var spent: Double
  /// What they used of it since the night began.
  package var tonight: Double

  package init(
    configured: Double, share: Double, production: Double, saved: Double = 0, spent: Double = 0, tonight: Double = 0
  ) {
    self.configured = configured
    self.share = share
    self.production = production
    self.saved = saved
    self.spent = spent
    self.tonight = tonight
  }

  /// What is left tonight.
  package var allowed: Double { max(0, min(configured - tonight, earned)) }

  private var earned: Double { share * production + saved / 2 - spent }

  /// Where the allowed comes from, in words.
  package var reason: String {
    if configured - tonight <= earned {
      return "as `trials: { budget }` says"
        + (tonight > 0 ? ", less the \(Self.text(tonight)) used since it began" : "")
    }
    return "\(Quantity.text(percent: share)) of the \(Self.text(production)) that its runs used in \(Self.days) days"
      + (saved > 0 ? ", and half of the \(Self.text(saved)) that verdicts saved" : "")
      + (spent > 0 ? ", less the \(Self.text(spent)) that trials used" : "")
  }

  /// `3m20s of CPU time: 20% of the 16m40s that its runs used in 28 days`.
  package var words: String { "\(Self.text(allowed)) of CPU time: \(reason)" }

  /// Why nothing is begun with it, in words; `nil` where it does for one fold.
  /// - Parameter fold: about what one fold of the control takes; `nil` where that is not known.
  package func shortage(fold: Double?, of pipeline: String) -> String? {
    if allowed > 0, allowed >= fold ?? 0 { return nil }
    let need = fold.map { "one fold takes about \(Self.text($0)), and " } ?? ""
    let remedy =
      configured - tonight <= earned
      ? "`trials: { budget }` allows more"
      : "`trials: { share }` allows more, and `penstock trials start \(Display.brief(pipeline))` goes by `budget` alone"
    return "\(need)tonight there are \(words); \(remedy)"
  }

  private static func text(_ seconds: Double) -> String { Quantity.text(.seconds(max(0, seconds))) }
}
