import Foundation

/// The paired blocks that an alarm asks for, and what they say of the arm.
///
/// "It loses more than the margin" is an e-process of its own: if the arm loses the margin or less, the probability that the
/// blocks of one alarm ever convict it is at most 1 / `enough`, however many there are. What acquits it needs no such
/// promise, for a new alarm may come.
struct Burst: Sendable {
  enum Finding: Sendable, Equatable {
    /// So many more blocks at most.
    case open(Int)
    case worse
    case asGood
    /// Near the margin: no so many blocks would tell.
    case unclear
  }

  /// Evidence for "worse than the margin" that is enough to demote.
  static let enough = 20.0
  static let most = 20

  /// The alarm.
  let reason: String
  private let margin: Double
  private let floor: Double
  /// Of paired folds: five make a block.
  private let folds: Moments
  private(set) var blocks = Moments()

  init(reason: String, margin: Double, floor: Double, folds: Moments) {
    self.reason = reason
    self.margin = margin
    self.floor = floor
    self.folds = folds
  }

  /// - Parameter difference: to the control; more is better.
  mutating func add(_ difference: Double) { blocks.add(difference) }

  var finding: Finding {
    let left = Self.most - blocks.count
    guard blocks.count > 0 else { return .open(left) }
    if EProcess.logE(blocks.negated.shifted(by: -margin), floor: floor) >= log(Self.enough) { return .worse }
    if let odds, odds >= log(Acquittal.enough) { return .asGood }
    return left > 0 ? .open(left) : .unclear
  }

  /// `nil` where nothing tells how blocks scatter.
  private var odds: Double? {
    // folds of before may scatter less than the blocks of now
    let weight = Double(min(Self.mostOfFolds, max(0, folds.count - 1)))
    let freedom = Double(max(0, blocks.count - 1)) + weight
    guard freedom > 0 else { return nil }
    let known = blocks.scatter + weight * (folds.variance ?? 0) / Self.foldsOfABlock
    let variance = known / freedom + floor * floor
    return Acquittal.logOdds(blocks, variance: variance, margin: margin)
  }

  private static let foldsOfABlock = 5.0
  /// Degrees of freedom that the folds have in the variance, at most.
  private static let mostOfFolds = 4
}
