import Foundation
import TrialWorlds
import Trials

/// Worlds in which nothing may be promoted, and their twins in which something should be.
struct BoundaryTable {
  let worlds: Int

  func print() {
    Swift.print("boundary worlds, 192 arms, 365 nights of 8 evaluations, a look after each; the guard relaxed")
    row("every cheaper arm exactly at the margin") { .atMargin($0, half: false) }
    row("the cheapest half at the margin, the rest at two") { .atMargin($0, half: true) }
    row("at the margin, by a t-test at every look", of: min(worlds, 200)) { .atMargin($0, half: false, test: tTest) }
    row("the same worlds as drawn: a good arm is found", wrong: false) { .drawn($0) }
  }

  private func row(
    _ name: String, of count: Int? = nil, wrong: Bool = true, _ world: @escaping @Sendable (UInt64) -> Year
  ) {
    let worlds = count ?? worlds
    let began = Date()
    let years = Many.of(worlds, world)
    let hits = years.count { wrong ? $0.isWrong : $0.promoted != nil && !$0.isWrong }
    let looks = years.map(\.evaluations).reduce(0, +) / worlds
    Swift.print(
      "  \(name): \(hits) of \(worlds) \(Share(hits, of: worlds))"
        + String(format: ", %d evaluations a world, %.0f s", looks, Date().timeIntervalSince(began)))
  }
}
