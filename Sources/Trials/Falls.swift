/// Nights and paired folds whose score fell away altogether: one may be the data's or chance, many are the arm's.
///
/// They are not left to the blocks of an alarm alone, for what strikes one evaluation in twenty is missed by a few blocks.
struct Falls: Sendable {
  /// So many of them in `span` nights are too many.
  static let tooMany = 5
  static let span = 120

  private var nights: [Int] = []

  mutating func add(on night: Int) { nights.append(night) }

  func areTooMany(on night: Int) -> Bool { nights.count { night - $0 < Self.span } >= Self.tooMany }
}
