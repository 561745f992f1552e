/// FNV-1a, 64 bits (Fowler, Noll and Vo): for names and seeds, not against those who choose the bytes.
package enum FNV1a {
  package static func hash(
    _ bytes: some Sequence<UInt8>, from start: UInt64 = 0xcbf2_9ce4_8422_2325
  ) -> UInt64 {
    bytes.reduce(start) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
package enum SplitMix64 {
  package static let gamma: UInt64 = 0x9E37_79B9_7F4A_7C15

  /// Its finalizer: each bit of the result hangs on each bit of the state.
  package static func mixed(_ state: UInt64) -> UInt64 {
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}
