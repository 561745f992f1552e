import Foundation

/// A trial: which unit is evaluated next, and what the numbers say.
///
/// The state is a fold over the observations in their order, so it replays bit for bit. The guarantee rests on the
/// e-process of each arm and on weights that are fixed before the first block; which arm is evaluated when, where a night
/// ends and how often anyone looks has no part in it.
package struct Race: Sendable {
  package let plan: RacePlan
  let factors: ArmFactors
  var bank = Bank()
  var lines: [ArmLine]
  var quality: QualityModel
  var costs: CostModel
  var rows = RowModel()
  /// The blocks that the model knows of, by arm.
  var modelled: [Moments]
  var screening: Screening
  /// Values of the screening, in the order they came.
  var screened: [Evidence] = []
  var screenedArms: Set<Int> = []
  /// Squared distances of all arms' blocks from their means, and their degrees of freedom.
  private(set) var scatter = (sum: 0.0, freedom: 0.0)
  /// Fixed when the screening ends.
  var holm: Holm?
  var screenSamples: [Screening.Probe: Sample] = [:]
  private var worst = Double.infinity
  var dice: Dice
  private var blocksTaken = 0

  /// log of the evidence that the mean of some values is above zero.
  package typealias Test = @Sendable (_ values: Moments, _ floor: Double) -> Double
  let test: Test

  /// - Parameters:
  ///   - plan: at least the control and one more arm; a margin above 0.
  ///   - test: another one only where it is to be shown what it does.
  package init(_ plan: RacePlan, test: @escaping Test = { EProcess.logE($0, floor: $1) }) {
    self.plan = plan
    self.test = test
    factors = ArmFactors(plan.arms)
    lines = plan.arms.map { _ in ArmLine() }
    modelled = plan.arms.map { _ in Moments() }
    quality = QualityModel(factors: factors, margin: plan.margin)
    costs = CostModel(factors: factors)
    screening = Screening(arms: plan.arms.count, factors: factors.varying, form: plan.form)
    dice = Dice(seed: plan.seed)
    if screening.isLast {
      freezeWeights()
    } else {
      screening.begin(Screening.balanced(factors, count: 128, dice: &dice))
    }
  }

  /// Takes in one observation; one that is there already is not counted again.
  @discardableResult
  package mutating func record(_ observation: Observation) -> Receipt {
    guard plan.arms.indices.contains(observation.arm) else { return .unknown }
    if case .block(let number) = observation.unit, number < 1 { return .unknown }
    let sample = Sample(observation)
    if observation.arm == 0 {
      guard bank[observation.unit] == nil else { return .duplicate }
      bank[observation.unit] = sample
    } else {
      guard keep(sample, of: observation) else { return .duplicate }
    }
    if let quality = sample.quality { worst = min(worst, quality) }
    switch observation.unit {
    case .screen: advanceScreening()
    case .block:
      if observation.arm == 0 {
        for arm in lines.indices.dropFirst() { advance(arm) }
      } else {
        advance(observation.arm)
      }
    }
    return .recorded
  }

  /// A production run of the control whose split is a block's: it is in the bank, and nobody need run it again.
  @discardableResult
  package mutating func bank(block: Int, quality: Double?, cost: Double, rows: [Float]? = nil) -> Receipt {
    record(Observation(arm: 0, unit: .block(block), quality: quality, cost: cost, rows: rows))
  }

  /// Whether the arm had no such unit yet.
  private mutating func keep(_ sample: Sample, of observation: Observation) -> Bool {
    switch observation.unit {
    case .screen(let fold):
      let probe = Screening.Probe(arm: observation.arm, fold: fold)
      guard screenSamples[probe] == nil else { return false }
      screenSamples[probe] = sample
    case .block(let number):
      guard number >= lines[observation.arm].nextBlock, lines[observation.arm].waiting[number] == nil else {
        return false
      }
      lines[observation.arm].waiting[number] = sample
    }
    return true
  }

  /// Takes in whatever of the arm's blocks has its turn.
  private mutating func advance(_ arm: Int) {
    while let sample = lines[arm].waiting[lines[arm].nextBlock],
      let control = bank[.block(lines[arm].nextBlock)]
    {
      lines[arm].waiting[lines[arm].nextBlock] = nil
      lines[arm].take(
        sample, beside: control, worst: worst, margin: plan.margin, deviation: blockVariance(of: arm).squareRoot())
      scatter = lines.reduce(into: (0, 0)) { sum, line in
        guard line.death == nil, line.blocks > 1 else { return }
        sum.0 += line.differences.scatter
        sum.1 += Double(line.blocks - 1)
      }
      blocksTaken += 1
      if holm != nil, Self.lessons.contains(blocksTaken) { learnFromBlocks() }
      judge(arm)
    }
  }

  /// Blocks of all arms after which the model learns from them.
  private static let lessons: Set = [4, 8, 12, 18, 27, 40, 60, 90, 135, 200, 300, 450]

  private mutating func learnFromBlocks() {
    var evidence = screened
    for arm in lines.indices.dropFirst() where lines[arm].blocks > 0 {
      let blocks = lines[arm].differences
      evidence.append(
        Evidence(
          arm: arm, value: quality.bounded(blocks.mean), variance: blockVariance(of: arm) / Double(blocks.count),
          fold: nil))
      modelled[arm] = blocks
    }
    quality.fit(evidence, choosing: screened.isEmpty)
  }

  /// Accepts the arm, or gives it up for what its rows cannot tell.
  private mutating func judge(_ arm: Int) {
    guard let holm, !lines[arm].accepted, lines[arm].death == nil, !lines[arm].isUnresolvable,
      lines[arm].blocks >= 3
    else { return }
    let rows = plan.guarding == .required ? lines[arm].rows.verdict(confidence: plan.confidence) : nil
    lines[arm].rowGuard = rows
    if rows != nil, lines[arm].blocks == 3 { learnFromRows() }
    let bar = holm.logThreshold(of: arm)
    if logE(of: arm) >= bar, logSavingE(of: arm) >= bar {
      if plan.guarding == .relaxed || rows?.holds(at: plan.margin) == true {
        lines[arm].accepted = true
        lines[arm].threshold = bar
        self.holm?.reject(arm)
        // what it held is the others' now
        for other in lines.indices.dropFirst() where other != arm { judge(other) }
        return
      }
    }
    // more blocks average out what is of the splits, never what is of the rows: half the error is the most to hope for
    guard let rows, !rows.holds(at: plan.margin) else { return }
    let isShown = lines[arm].blocks >= 5 && logE(of: arm) >= bar
    let hope = blockVariance(of: arm).squareRoot() / Double(lines[arm].blocks).squareRoot()
    if rows.width > 2 * plan.margin || (isShown && RowModel.lasting * rows.width > rows.mean + hope + plan.margin)
      || (isShown && lines[arm].blocks >= 12)
    {
      lines[arm].isUnresolvable = true
    }
  }

  private mutating func learnFromRows() {
    rows.fit(lines.indices.compactMap { arm in lines[arm].rowGuard.map { (arm, $0) } }, factors: factors)
  }
}
