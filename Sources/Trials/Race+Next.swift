import Foundation

extension Race {
  /// What to evaluate next; the control's unit comes first where it is not in the bank.
  package func next() -> Move {
    if let probe = missingProbe() { return .evaluate(arm: probe.arm, unit: .screen(fold: probe.fold)) }
    guard let arm = choice()?.arm else { return .stop(verdict) }
    // a block that waits for the control's is never run again
    var block = lines[arm].nextBlock
    while lines[arm].waiting[block] != nil, bank[.block(block)] != nil { block += 1 }
    let unit = Unit.block(block)
    return .evaluate(arm: bank[unit] == nil ? 0 : arm, unit: unit)
  }

  /// The arm whose next block promises most for what it costs; `nil` where none pays.
  func choice() -> (arm: Int, forecast: Forecast)? {
    var best: (arm: Int, forecast: Forecast)?
    let setting = Setting(self)
    for arm in lines.indices.dropFirst() {
      guard case .pays(let forecast) = outlook(of: arm, in: setting) else { continue }
      if let current = best, current.forecast.index >= forecast.index { continue }
      best = (arm, forecast)
    }
    return best
  }

  /// What is the same for all arms at one look.
  struct Setting {
    let incumbentShare: Double
    let blockCost: Double
    /// Share of the arms decided by their rows that passed, the control counted with them.
    let certified: Double

    init(_ race: Race) {
      incumbentShare = race.costShare(of: race.incumbent)
      let passed = 1 + Double(race.lines.count { $0.accepted })
      certified = passed / (passed + Double(race.lines.count { $0.isUnresolvable }))
      blockCost = race.bank.blockCost(folds: race.plan.folds)
    }
  }

  enum Prospect {
    case pays(Forecast)
    case closed(Closing)
  }

  /// Whether another block of the arm pays.
  func outlook(of arm: Int, in setting: Setting) -> Prospect {
    let line = lines[arm]
    if line.accepted { return .closed(.accepted) }
    if line.death != nil { return .closed(.dead) }
    if line.isUnresolvable { return .closed(.unresolvable) }
    guard let holm, holm.weights[arm] > 0 else { return .closed(.dearer) }
    let share = cost(of: arm)
    let least = log(1 - Self.leastSaving) + log(setting.incumbentShare)
    guard share.mean - share.variance.squareRoot() < least else { return .closed(.dearer) }
    if line.blocks >= 3, plan.guarding == .required, line.rows.blocks == 0 { return .closed(.withoutRows) }
    let belief = belief(of: arm)
    let probability = belief.probability(above: -plan.margin)
    guard probability > 0.1 else { return .closed(.unlikely(probability)) }
    let certain = certifiable(arm, belief, in: setting)
    guard certain > 0.1 else { return .closed(.unresolvable) }
    return promise(
      of: arm, belief: belief, probability: min(probability, certain), share: share, holm: holm, in: setting)
  }

  /// P(the rows will certify the margin for the arm); 1 where nobody asks them or nothing is known of them.
  private func certifiable(_ arm: Int, _ belief: Belief, in setting: Setting) -> Double {
    guard plan.guarding == .required else { return 1 }
    if let own = lines[arm].rowGuard { return RowModel.probability(belief, width: own.width, margin: plan.margin) }
    guard let width = rows.widths?[arm] else { return 1 }
    // where the rows stood against arm after arm, they are likely to stand against the next
    return RowModel.probability(belief, width: width, margin: plan.margin) * setting.certified
  }

  private func promise(
    of arm: Int, belief: Belief, probability: Double, share: Belief, holm: Holm, in setting: Setting
  ) -> Prospect {
    let line = lines[arm]
    let bar = holm.logThreshold(of: arm)
    let variance = blockVariance(of: arm) + plan.floor * plan.floor
    let quality = Forecast.blocks(
      evidence: logE(of: arm), threshold: bar, gap: belief.excess(above: -plan.margin), variance: variance,
      taken: line.blocks)
    let saved = max(log(1 - Self.leastSaving) - share.mean, 0.005)
    let cheaper = Forecast.blocks(
      evidence: logSavingE(of: arm), threshold: bar, gap: saved,
      variance: 0.0025 + max(line.costs.variance ?? 0, 0.0016),
      taken: line.blocks)
    let blocks = min(max(quality, cheaper), 1e6)
    let horizon = line.nextBlock...(line.nextBlock + Int(min(blocks, 2000)) - 1)
    let relative = exp(share.mean)
    let saving = max(setting.incumbentShare - relative, 0.005)
    let forecast = Forecast(
      probability: probability, blocks: blocks,
      cost: (blocks * relative + Double(bank.missing(in: horizon))) * setting.blockCost, saving: saving)
    if let runs = plan.runsAhead {
      let gain = probability * saving * setting.blockCost / Double(plan.folds) * runs
      guard gain > forecast.cost else {
        return .closed(.uneconomical(blocks: blocks))
      }
    }
    return .pays(forecast)
  }
}
