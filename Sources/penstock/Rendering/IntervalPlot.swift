import Trials

/// Intervals as bars of text beside each other: `|` is the margin, `0` full quality, `o` the mean.
struct IntervalPlot {
  private static let width = 25
  private let low: Double
  private let high: Double
  private let margin: Double

  init(_ intervals: [Interval], margin: Double) {
    let span = abs(margin)
    let ends = intervals.flatMap { [$0.low, $0.high] }.filter(\.isFinite)
    self.margin = margin
    low = max(min(ends.min() ?? 0, margin) - span / 2, margin - 4 * span)
    high = min(max(ends.max() ?? 0, 0) + span / 2, 4 * span)
  }

  var title: String { "margin | 0 full" }

  func line(_ interval: Interval, mean: Double?) -> String {
    var cells = [Character](repeating: " ", count: Self.width)
    let (from, to) = (column(interval.low), column(interval.high))
    for at in min(from, to)...max(from, to) { cells[at] = "-" }
    cells[column(margin)] = "|"
    cells[column(0)] = "0"
    if let mean { cells[column(mean)] = "o" }
    return String(cells)
  }

  private func column(_ value: Double) -> Int {
    if value.isNaN { return 0 }
    let share = (min(max(value, low), high) - low) / max(high - low, .leastNormalMagnitude)
    return min(Self.width - 1, max(0, Int((share * Double(Self.width - 1)).rounded())))
  }
}
