import Trials

/// What the race picked of a grid, and what it looked at.
struct Answer: Encodable {
  var picked = 0
  /// Of every fold of every arm that was looked at.
  var cost = 0.0
  var folds = 0
  var verdict = "continue"
  var reason = ""

  init(_ grid: Grid, _ plan: RacePlan) {
    var race = Race(plan)
    while case .evaluate(let arm, let unit) = race.next(), let observation = grid.observation(arm, unit) {
      race.record(observation)
      cost += observation.cost
      if case .block = unit { folds += grid.folds } else { folds += 1 }
    }
    switch race.verdict {
    case .promote(let promotion):
      (picked, verdict) = (promotion.arm, "promote")
      reason = "E \(promotion.e) of \(promotion.threshold) after \(promotion.blocks) blocks"
    case .continue(let outlook): reason = outlook.missing
    case .keep(let words): (verdict, reason) = ("keep", words)
    case .unresolvable(_, let smallest): (verdict, reason) = ("unresolvable", "smallest certifiable margin \(smallest)")
    }
  }
}
