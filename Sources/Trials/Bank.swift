/// The control's units, shared by all arms: each is run once.
struct Bank: Sendable {
  private var blocks: [Int: Sample] = [:]
  private var folds: [Int: Sample] = [:]
  /// Every block up to this one is there, and some beyond.
  private var whole = 0
  private var ahead: Set<Int> = []

  subscript(unit: Unit) -> Sample? {
    get {
      switch unit {
      case .block(let number): blocks[number]
      case .screen(let fold): folds[fold]
      }
    }
    set {
      switch unit {
      case .block(let number):
        blocks[number] = newValue
        ahead.insert(number)
        while ahead.remove(whole + 1) != nil { whole += 1 }
      case .screen(let fold): folds[fold] = newValue
      }
    }
  }

  /// How many of these blocks are still to be run.
  func missing(in range: ClosedRange<Int>) -> Int {
    guard range.upperBound > whole else { return 0 }
    let first = max(range.lowerBound, whole + 1)
    return range.upperBound - first + 1 - ahead.count { (first...range.upperBound).contains($0) }
  }

  /// Mean cost of a block, from the blocks, or else from the folds; 1 before anything is known.
  func blockCost(folds count: Int) -> Double {
    let costs = blocks.values.map(\.cost).filter { $0 > 0 }
    if !costs.isEmpty { return costs.sorted().reduce(0, +) / Double(costs.count) }
    let single = folds.values.map(\.cost).filter { $0 > 0 }
    if !single.isEmpty { return single.sorted().reduce(0, +) / Double(single.count) * Double(count) }
    return 1
  }
}
