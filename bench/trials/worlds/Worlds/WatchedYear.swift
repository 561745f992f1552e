import Foundation
import Trials

/// A year with an arm in force, whose loss may change on one night.
package struct WatchedYear: Sendable {
  /// What happens to the data.
  package struct Course: Sendable {
    /// Standard deviations, in margins: of the nightly score, of a paired fold, of a paired block.
    package var level = 1.5
    package var fold = 1.5
    package var block = 0.7
    /// What the arm truly loses before, and from the night on, in margins.
    package var loss = 0.0
    package var lossAfter = 0.0
    /// What both arms lose from the night on.
    package var common = 0.0
    /// Nights from the beginning of the change to all of it.
    package var ramp = 1
    /// The change ends after so many nights.
    package var lasts = Int.max
    package var night = Int.max
    /// Share of nights, folds and blocks that lose 20 margins.
    package var disasters = 0.0

    package init() {}

    /// A night from 60 to 260, an arm that loses 0.3 margins, and noise between quiet and loud.
    package static func drawn(seed: UInt64) -> Course {
      var dice = Dice(seed: seed &* 77)
      var course = Course()
      course.loss = 0.3
      course.lossAfter = 0.3
      course.night = 60 + Int(dice.uniform() * 200)
      course.level = 0.8 + 1.4 * dice.uniform()
      course.fold = 0.5 + 2 * dice.uniform()
      course.block = course.fold / 5.0.squareRoot()
      return course
    }
  }

  /// The night of the demotion, from 1.
  package var demotion: Int?
  package var reason = ""
  package var alarms = 0
  /// Paired folds and blocks, in folds of the two arms.
  package var folds = 0
  /// Nights with a disaster before the demotion.
  package var disasters = 0

  package init(_ course: Course, nights: Int = 365, blocksANight: Int = 3, seed: UInt64) {
    var dice = Dice(seed: seed)
    let margin = 0.01
    var watch = Watch(margin: margin)
    nights: for night in 1...nights {
      let since = Double(night - course.night + 1)
      let over = night >= course.night && night - course.night < course.lasts ? min(1, since / Double(course.ramp)) : 0
      let loss = course.loss + (course.lossAfter - course.loss) * over
      func disaster() -> Double { dice.uniform() < course.disasters ? 20 : 0 }
      let fall = disaster()
      if fall > 0 { disasters += 1 }
      let score = 0.9 - margin * (loss + course.common * over + fall - course.level * dice.normal())
      let before = watch.call
      watch.record(.night(score: score))
      if night % 7 == 0 {
        watch.record(.fold(difference: -margin * (loss + disaster() - course.fold * dice.normal())))
        folds += 2
      }
      if before == .calm, watch.call != .calm { alarms += 1 }
      for _ in 0..<blocksANight {
        guard case .blocks = watch.call else { break }
        watch.record(.block(difference: -margin * (loss + disaster() - course.block * dice.normal())))
        folds += 10
      }
      if case .demote(let reason) = watch.call {
        demotion = night
        self.reason = reason
        break nights
      }
    }
  }
}
