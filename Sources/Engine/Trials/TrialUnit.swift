import Core
import Trials

extension Trials.Unit {
  /// As it is recorded: `screen:3`, `block:1`.
  var text: String {
    switch self {
    case .screen(let fold): "screen:\(fold)"
    case .block(let number): "block:\(number)"
    }
  }

  init?(_ text: String) {
    let parts = text.split(separator: ":")
    guard parts.count == 2, let number = Int(parts[1]) else { return nil }
    switch parts[0] {
    case "screen": self = .screen(fold: number)
    case "block": self = .block(number)
    default: return nil
    }
  }

  /// How many folds of the plan it has.
  func folds(of plan: RacePlan) -> Int {
    if case .screen = self { return 1 }
    return plan.folds
  }

  /// What is held out: one fold of the screening, or every fold of a block.
  ///
  /// Seeds of the one are never those of the other.
  func splits(folds: Int, seed: UInt64) -> [Split] {
    switch self {
    case .screen(let fold):
      let deal = Split.seed(seed, Split.part("screen"), UInt64(fold / folds))
      return [Split(block: 0, fold: fold % folds, folds: folds, seed: deal)]
    case .block(let number):
      let deal = Split.seed(seed, Split.part("block"), UInt64(number))
      return (0..<folds).map { Split(block: number, fold: $0, folds: folds, seed: deal) }
    }
  }
}
