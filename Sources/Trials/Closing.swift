import Foundation

/// Why an arm gets no further block.
enum Closing: Sendable, Equatable {
  case accepted
  case dead
  case unresolvable
  case dearer
  case withoutRows
  case unlikely(Double)
  case uneconomical(blocks: Double)
}

extension Race {
  /// Why the arm gets no further block, in words.
  func words(on closing: Closing, of arm: Int) -> String {
    let line = lines[arm]
    switch closing {
    case .accepted: return "shown to be as good within the margin, and cheaper"
    case .dead: return "ended at once: " + (line.death ?? "")
    case .unresolvable:
      guard let rows = line.rowGuard else {
        return "the rows are likely too few to certify the margin, as for the arms like it"
      }
      return
        "\(rows.rows) rows are too few to certify a margin of \(Words.number(plan.margin)); the smallest certifiable "
        + "is \(Words.number(rows.smallestMargin))"
    case .dearer:
      if line.blocks > 0, incumbent == 0 {
        return "no saving is measured: it costs \(Words.percent(costShare(of: arm))) of the control"
      }
      return incumbent == 0 ? "not cheaper than the control, by prediction" : "not cheaper than what was accepted"
    case .withoutRows:
      return "no scores of rows, so nothing can be said of rows not seen; a relaxed guard does without"
    case .unlikely(let probability):
      return "\(Words.percent(probability)) likely to be not worse than the margin, too little to go on"
    case .uneconomical(let blocks):
      return "about \(Words.number(blocks)) more blocks cost more than "
        + "\(Words.number(plan.runsAhead ?? 0)) production runs would save"
    }
  }
}
