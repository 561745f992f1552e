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
    /// Difference to the control of one paired fold, once a week; `nil`: the arm crashed.
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

  /// Blocks after an alarm, at most.
  package static let blocksOfAnAlarm = 6
  /// Evidence for "worse than the margin" that is enough to demote.
  package static let enough = 10.0

  private let margin: Double
  private let floor: Double
  /// "Worse than the margin", on the paired folds.
  private var folds: ShiryaevRoberts
  private var foldValues = Moments()
  /// "The level has dropped", on the nightly scores in deviations of the baseline.
  private var level: ShiryaevRoberts
  private var baseline: Baseline
  private var blocks = Moments()
  private var alarm: String?
  private var spikes = Spikes()
  package private(set) var call = Call.calm

  /// - Parameters:
  ///   - margin: as of the trial.
  ///   - kappa: as of the trial.
  ///   - runLength: looks between false alarms, in the mean, at least.
  package init(margin: Double, kappa: Double = 0.25, runLength: Double = 365) {
    self.margin = margin
    floor = kappa * margin
    folds = ShiryaevRoberts(runLength: runLength, floor: kappa * margin)
    level = ShiryaevRoberts(runLength: runLength, floor: nil)
    baseline = Baseline(margin: margin, least: kappa * margin)
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
    guard baseline.isComplete else {
      guard let score else { return raise("the night's run failed") }
      baseline.add(score)
      if spikes.isMore(by: baseline.spikes) { demote(Self.fallsAway) }
      return
    }
    let drop = score.map { baseline.mean - $0 }
    switch spikes.judge(isSpike: drop.map { baseline.isSpike(drop: $0) } ?? true) {
    case .normal: break
    case .first: return raise("the night's score fell by \(drop.map { Words.number($0) } ?? "all, for its run failed")")
    case .waiting: return
    case .lasting:
      // the blocks cleared it, so the control fell as well: this is the level now
      restart()
      return
    case .again: return demote(Self.fallsAway)
    }
    guard let drop else { return }
    level.add(drop / baseline.deviation - 0.5)
    if level.isAlarm { raise("the nightly score has dropped below \(Words.number(baseline.mean))") }
  }

  private mutating func take(fold difference: Double?) {
    guard let difference else { return demote("it crashed in a paired fold") }
    let deviation = (foldValues.variance ?? 0).squareRoot()
    if foldValues.count >= 3, difference < -8 * margin - 6 * deviation {
      return demote("a paired fold lost \(Words.number(-difference)) against the control")
    }
    foldValues.add(difference)
    folds.add(-(difference + margin))
    if folds.isAlarm { raise("the paired folds lose more than the margin") }
  }

  private mutating func take(block difference: Double?) {
    guard let alarm else { return }
    guard let difference else { return demote("it crashed in a block after an alarm: \(alarm)") }
    if difference < -12 * margin { return demote("a block lost \(Words.number(-difference)) after an alarm: \(alarm)") }
    blocks.add(difference)
    let worse = EProcess.logE(blocks.negated.shifted(by: -margin), floor: floor)
    if worse >= log(Self.enough) { return demote("\(blocks.count) paired blocks lose \(Words.number(-blocks.mean))") }
    let left = Self.blocksOfAnAlarm - blocks.count
    guard left <= 0 else {
      call = .blocks(left, reason: alarm)
      return
    }
    if blocks.mean < -margin { return demote("\(blocks.count) paired blocks lose \(Words.number(-blocks.mean))") }
    clear()
  }

  /// The blocks show no loss: what was an alarm is how it is now.
  private mutating func clear() {
    if !spikes.isOpen { restart() }
    alarm = nil
    call = .calm
    folds.restart()
    level.restart()
  }

  private mutating func restart() {
    baseline = Baseline(margin: margin, least: floor)
    level.restart()
  }

  private mutating func raise(_ reason: String) {
    guard alarm == nil else { return }
    alarm = reason
    blocks = Moments()
    call = .blocks(Self.blocksOfAnAlarm, reason: reason)
  }

  private mutating func demote(_ reason: String) { call = .demote(reason: reason) }

  private static let fallsAway = "the score falls away now and then, by more than 8 margins"
}
