/// How an evaluation of a trial splits the rows: the same for every arm.
package struct Split: Sendable, Hashable, Codable {
  /// The number of the block, from 1; 0 while arms are screened.
  package var block: Int
  /// The part of the rows that is held out, from 0.
  package var fold: Int
  package var folds: Int
  /// From this the rows are dealt to the folds.
  package var seed: Int

  package init(block: Int, fold: Int, folds: Int, seed: Int) {
    self.block = block
    self.fold = fold
    self.folds = folds
    self.seed = seed
  }

  /// Seeds are pure functions of what they are for; 31 bits, which every program's generator takes.
  ///
  /// SplitMix64 over the parts, one after the other.
  package static func seed(_ parts: UInt64...) -> Int {
    let state = parts.reduce(SplitMix64.gamma) { SplitMix64.mixed(($0 ^ $1) &+ SplitMix64.gamma) }
    return Int(state >> 33)
  }

  /// A text as a part of a seed.
  package static func part(_ text: String) -> UInt64 {
    FNV1a.hash(text.utf8)
  }
}
