import Foundation
import TrialWorlds
import Trials

/// Years with an arm in force, with and without a change.
struct DriftTable {
  let worlds: Int

  func print() {
    Swift.print("years with an arm in force that loses 0.3 margins; the change is at a night from 60 to 260")
    row("stationary") { _ in }
    row("stationary, it loses nothing") { ($0.loss, $0.lossAfter) = (0, 0) }
    row("stationary, it loses half a margin") { ($0.loss, $0.lossAfter) = (0.5, 0.5) }
    row("stationary, it loses the margin") { ($0.loss, $0.lossAfter) = (1, 1) }
    row("stationary, noise with a long lower tail") { $0.isSkewed = true }
    row("stationary, at the margin, with a long lower tail") {
      ($0.loss, $0.lossAfter) = (1, 1)
      $0.isSkewed = true
    }
    row("stationary, both lose 3 on two nights in seven") { $0.rhythm = 3 }
    row("stationary, both lose 20 on one night in 100") { $0.storms = 0.01 }
    row("it loses 20 in one evaluation of 20") { $0.disasters = 0.05 }
    row("it loses 2 margins") { $0.lossAfter = 2 }
    row("it loses 3 margins") { $0.lossAfter = 3 }
    row("it loses 6 margins") { $0.lossAfter = 6 }
    row("over 30 nights it comes to lose 6") {
      $0.lossAfter = 6
      $0.ramp = 30
    }
    row("both arms lose 2") { $0.common = 2 }
    row("both arms lose 4") { $0.common = 4 }
    row("both arms lose 4 for 40 nights") {
      $0.common = 4
      $0.lasts = 40
    }
    row("the control gains 2") {
      $0.lossAfter = 2.3
      $0.common = -2
    }
  }

  private func row(_ name: String, _ change: @escaping @Sendable (inout DriftCourse) -> Void) {
    let years = Many.of(worlds) { seed in
      var course = DriftCourse.drawn(seed: seed)
      change(&course)
      return (course, DrawnSight.year(course, seed: seed).0)
    }
    // one that is never demoted is demoted later than any
    let delays = years.compactMap { course, year in
      (year.demotion ?? .max) < course.night ? nil : year.demotion.map { $0 - course.night + 1 } ?? .max
    }.sorted()
    let demoted = years.count { $0.1.demotion != nil }
    let (middle, late) = (nights(delays, 0.5), nights(delays, 0.9))
    Swift.print(
      "  \(name): demoted in \(demoted) of \(worlds), nights until then \(middle) (90 %: \(late)); "
        + String(
          format: "%.2f alarms and %d fits (of 365) a year",
          Double(years.reduce(0) { $0 + $1.1.alarms }) / Double(worlds),
          years.reduce(0) { $0 + $1.1.fits } / worlds))
  }

  private func nights(_ delays: [Int], _ share: Double) -> String {
    let place = Int(Double(delays.count) * share)
    return delays.indices.contains(place) && delays[place] < .max ? "\(delays[place])" : "never"
  }
}
