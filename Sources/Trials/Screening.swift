/// The first part of a race: rounds of single folds of different arms, from which nothing is claimed.
struct Screening: Sendable {
  struct Probe: Sendable, Hashable {
    var arm: Int
    var fold: Int
  }

  /// Arms of each round that is still to come.
  private var rounds: [Int]
  /// Folds over which the probes are scattered, so that their noise is not all of one split.
  private let folds: Int
  private var started = 0
  private(set) var probes: [Probe] = []

  /// Few arms are confirmed without a screening.
  init(arms: Int, factors: Int, form: RacePlan.Form) {
    let others = Double(arms - 1)
    // as many more as there are more stages than four
    let width = max(1, Double(factors) / 4)
    let most = (form == .economical ? [32, 24, 16] : [64, 48, 32]).map { Int((Double($0) * width).rounded()) }
    rounds = arms <= 7 ? [] : zip(most, [0.35, 0.25, 0.15]).map { min($0, Int((others * $1).rounded(.up))) }
    folds = form == .economical ? 5 : 10
  }

  /// Every round was begun.
  var isLast: Bool { rounds.isEmpty }

  /// Begins the next round with the first of these arms.
  mutating func begin(_ order: [Int]) {
    guard !rounds.isEmpty else { return }
    let size = rounds.removeFirst()
    probes = order.prefix(size).map { arm in
      defer { started += 1 }
      return Probe(arm: arm, fold: 1 + started % folds)
    }
  }

  /// An order of all arms in which every level, and then every pair of levels, comes about as often as others.
  static func balanced(_ factors: ArmFactors, count: Int, dice: inout Dice) -> [Int] {
    var open = Array(1..<factors.arms)
    var chosen: [Int] = []
    while chosen.count < count, !open.isEmpty {
      // the one of some random arms that has least in common with those chosen
      let draws = (0..<min(12, open.count)).map { _ in Int(dice.next() % UInt64(open.count)) }
      let likeness = draws.map { draw in
        chosen.reduce(0) { sum, other in
          let shared = factors.shared(open[draw], other)
          return sum + shared * shared
        }
      }
      let best = draws.indices.min { (likeness[$0], $0) < (likeness[$1], $1) } ?? 0
      chosen.append(open.remove(at: draws[best]))
    }
    return chosen
  }
}
