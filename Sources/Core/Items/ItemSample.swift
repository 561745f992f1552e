/// Which items a sample takes: by a hash of the id, so that it is the same in every run and a smaller sample is
/// contained in a larger one.
package struct ItemSample: Sendable, Equatable {
  /// 0 < fraction <= 1; `nil` takes all.
  package var fraction: Double?

  package init(_ fraction: Double?) { self.fraction = fraction }

  package func takes(_ id: String) -> Bool {
    guard let fraction, fraction < 1 else { return true }
    return Self.place(of: id) < fraction
  }

  /// Where an id stands in [0, 1): FNV-1a, then the finalizer of SplitMix64, for FNV alone is uneven in its high bits.
  static func place(of id: String) -> Double {
    var hash = id.utf8.reduce(UInt64(0xcbf2_9ce4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    hash = (hash ^ (hash >> 30)) &* 0xbf58_476d_1ce4_e5b9
    hash = (hash ^ (hash >> 27)) &* 0x94d0_49bb_1331_11eb
    hash ^= hash >> 31
    return Double(hash >> 11) / Double(UInt64(1) << 53)
  }
}
