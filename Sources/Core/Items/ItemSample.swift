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
    let hash = SplitMix64.mixed(FNV1a.hash(id.utf8))
    return Double(hash >> 11) / Double(UInt64(1) << 53)
  }
}
