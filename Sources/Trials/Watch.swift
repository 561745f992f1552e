import Foundation

/// Watches the arm in force: whether it still costs no more quality than the margin.
///
/// A fold over what is seen, as the race is. Demotion costs compute and never quality, so it needs far less evidence
/// than a promotion.
package struct Watch: Sendable {
  /// What was seen.
  package enum Event: Sendable, Equatable, Codable {
    /// The score of the night's own run; `nil`: it failed.
    case night(score: Double?)
    /// Difference to the control of one paired fold, see `spacing`; `nil`: the arm crashed.
    case fold(difference: Double?)
    /// Difference to the control of a paired block that an alarm asked for; `nil`: the arm crashed.
    case block(difference: Double?)
  }

  /// What to do now.
  package enum Call: Sendable, Equatable, Codable {
    case calm
    /// Something may be wrong: so many more paired blocks are wanted.
    case blocks(Int, reason: String)
    /// Back to the control at once, and why.
    case demote(reason: String)
  }

  private let margin: Double
  private let floor: Double
  /// "Worse than the margin", on the paired folds.
  private var folds: ShiryaevRoberts
  private var foldValues = Moments()
  /// Those since the last alarm.
  private var calmFolds = Moments()
  /// "The level has fallen", on the nightly scores.
  private var level: LevelDetector
  private var baseline: Baseline
  private var burst: Burst?
  private var falls = Falls()
  private var night = 0
  package private(set) var call = Call.calm

  /// - Parameters:
  ///   - margin: as of the trial.
  ///   - kappa: as of the trial.
  ///   - nights: nights between false alarms of the nightly score, in the mean, at least.
  ///   - pairs: paired folds between false alarms, in the mean, at least, of an arm that loses the margin.
  package init(margin: Double, kappa: Double = 0.25, nights: Double = 365, pairs: Double = 52) {
    self.margin = margin
    floor = kappa * margin
    folds = ShiryaevRoberts(runLength: pairs, floor: kappa * margin)
    level = LevelDetector(runLength: nights, floor: kappa * margin)
    baseline = Baseline(margin: margin, least: kappa * margin)
  }

  /// Nights from one paired fold to the next: a week, and one more for each factor of ten by which the folds acquit the
  /// arm, up to three.
  package var spacing: Double {
    guard calmFolds.count >= 3, folds.evidence < Self.doubt, let variance = foldValues.variance else { return 7 }
    let odds = Acquittal.logOdds(calmFolds, variance: variance + floor * floor, margin: margin)
    return 7 * (1 + min(2, max(0, (odds / log(10)).rounded(.down))))
  }

  @discardableResult
  package mutating func record(_ event: Event) -> Call {
    if case .demote = call { return call }
    switch event {
    case .night(let score): look(at: score)
    case .fold(let difference): take(fold: difference)
    case .block(let difference): take(block: difference)
    }
    return call
  }

  private mutating func look(at score: Double?) {
    night += 1
    // after the blocks that are wanted all begins anew
    guard burst == nil else { return }
    guard let score else { return fallAway("the night's run failed") }
    let drop = baseline.mean - score
    if baseline.isComplete, baseline.isSpike(drop: drop) {
      return fallAway("the night's score fell by \(Words.number(drop / margin)) margins")
    }
    level(at: score)
    if !baseline.isComplete { learn(score) }
  }

  private mutating func learn(_ score: Double) {
    baseline.add(score)
    guard baseline.spikes > 0 else { return }
    // one score that fell away would hide every later fall behind its scatter
    level.restart()
    for score in baseline.good { level.add(score) }
    for _ in 0..<baseline.spikes { falls.add(on: night) }
    if falls.areTooMany(on: night) { demote(Self.fallsAway) }
  }

  private mutating func fallAway(_ reason: String) {
    falls.add(on: night)
    if falls.areTooMany(on: night) { demote(Self.fallsAway) } else { raise(reason) }
  }

  private mutating func level(at score: Double) {
    level.add(score)
    guard level.isAlarm, let fall = level.fall else { return }
    let nights = fall.scores == 1 ? "in the last night" : "in the last \(fall.scores) nights"
    raise("the score was \(Words.number(fall.drop / margin)) margins lower \(nights)")
  }

  private mutating func take(fold difference: Double?) {
    guard let difference else { return demote("it crashed in a paired fold") }
    let deviation = (foldValues.variance ?? 0).squareRoot()
    if foldValues.count >= 3, difference < -8 * margin - 6 * deviation {
      fallAway("a paired fold lost \(Words.number(-difference / margin)) margins")
    }
    foldValues.add(difference)
    calmFolds.add(difference)
    folds.add(-(difference + margin))
    if case .calm = call, folds.isAlarm { raise("the paired folds lose more than the margin") }
  }

  private mutating func take(block difference: Double?) {
    guard var burst else { return }
    guard let difference else { return demote("\(burst.reason), and it crashed in a paired block") }
    if difference < -12 * margin {
      return demote("\(burst.reason), and a paired block lost \(Words.number(-difference / margin)) margins")
    }
    burst.add(difference)
    self.burst = burst
    switch burst.finding {
    case .open(let left): call = .blocks(left, reason: burst.reason)
    case .worse:
      let lost = Words.number(-burst.blocks.mean / margin)
      demote("\(burst.reason), and \(burst.blocks.count) paired blocks lose \(lost) margins")
    case .asGood, .unclear: clear()
    }
  }

  /// The blocks show no loss: what was an alarm is how it is now.
  private mutating func clear() {
    burst = nil
    call = .calm
    baseline = Baseline(margin: margin, least: floor)
    level.restart()
    folds.restart()
    calmFolds = Moments()
  }

  private mutating func raise(_ reason: String) {
    guard burst == nil else { return }
    burst = Burst(reason: reason, margin: margin, floor: floor, folds: foldValues)
    call = .blocks(Burst.most, reason: reason)
  }

  private mutating func demote(_ reason: String) { call = .demote(reason: reason) }

  /// Evidence of the paired folds for "worse than the margin" that is worth a closer look, not yet an alarm.
  private static let doubt = 5.0
  private static let fallsAway = "the score falls away again and again, by more than 8 margins"
}
