/// Whether enough items of a stage came through.
package enum ItemSuccess {
  /// The items that may fail of so many; a share of an item is none.
  /// - Parameter minimum: the share that must not fail, 0...1.
  package static func allowed(of entered: Int, minimum: Double) -> Int {
    // 95 % of 20 is 19: a product that is a hair below a whole number is that number
    let needed = (Double(entered) * minimum - 1e-9).rounded(.up)
    return entered - min(entered, max(0, Int(needed)))
  }

  /// Why a stage failed whose items failed so; `nil` where enough came through.
  /// - Parameter first: the first failures, with their reasons.
  package static func complaint(
    entered: Int, failed: Int, minimum: Double, first: [(id: String, reason: String)]
  ) -> String? {
    let allowed = allowed(of: entered, minimum: minimum)
    if failed <= allowed { return nil }
    let share = Quantity.text(percent: minimum)
    let rule = allowed == 0 ? "" : ", and `min_success: \(share)` allows \(allowed)"
    let which = first.first.map { ": `\(Display.brief($0.id))`: \($0.reason)" } ?? ""
    return "\(failed) of \(entered) items failed\(rule)\(which)"
  }
}
