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
  /// SplitMix64 (Steele, Lea and Flood, 2014) over the parts, one after the other.
  package static func seed(_ parts: UInt64...) -> Int {
    var state: UInt64 = 0x9E37_79B9_7F4A_7C15
    for part in parts {
      state = (state ^ part) &+ 0x9E37_79B9_7F4A_7C15
      var mixed = state
      mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
      mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
      state = mixed ^ mixed >> 31
    }
    return Int(state >> 33)
  }

  /// A text as a part of a seed: FNV-1a, 64 bits.
  package static func part(_ text: String) -> UInt64 {
    text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }
}
