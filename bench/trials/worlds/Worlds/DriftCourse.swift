import Foundation
import Trials

/// What happens to the data of a year, and to the arm in force by it; losses and standard deviations in margins.
package struct DriftCourse: Sendable {
  /// Standard deviations: of the nightly score, of a paired fold, of a paired block.
  package var level = 1.5
  package var fold = 1.5
  package var block = 0.7
  /// What the arm truly loses before, and from the night on.
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

  /// Share of nights on which both arms lose 20 margins.
  package var storms = 0.0
  /// What both arms lose on two nights in seven.
  package var rhythm = 0.0
  /// Noise with a long lower tail instead of normal noise.
  package var isSkewed = false

  package init() {}

  /// A night from 60 to 260, an arm that loses 0.3 margins, and noise between quiet and loud.
  package static func drawn(seed: UInt64) -> DriftCourse {
    var dice = Dice(seed: seed &* 77)
    var course = DriftCourse()
    course.loss = 0.3
    course.lossAfter = 0.3
    course.night = 60 + Int(dice.uniform() * 200)
    course.level = 0.8 + 1.4 * dice.uniform()
    course.fold = 0.5 + 2 * dice.uniform()
    course.block = course.fold / 5.0.squareRoot()
    return course
  }

  /// How much of the change there is on a night, 0 to 1.
  func share(on other: Int) -> Double {
    let since = other - night
    return since >= 0 && since < lasts ? min(1, Double(since + 1) / Double(ramp)) : 0
  }

  func loss(on night: Int) -> Double { loss + (lossAfter - loss) * share(on: night) }
}

/// A course with its noise.
package struct DrawnSight: Sight {
  private static let margin = 0.01
  let course: DriftCourse
  private var dice: Dice
  /// Nights with a disaster.
  private(set) var disasters = 0

  init(_ course: DriftCourse, seed: UInt64) {
    self.course = course
    dice = Dice(seed: seed)
  }

  package mutating func score(on night: Int) -> Double? {
    let fall = disaster()
    if fall > 0 { disasters += 1 }
    let lost =
      course.loss(on: night) + course.common * course.share(on: night) + fall
      + (night % 7 < 2 ? course.rhythm : 0) + (course.storms > 0 && dice.uniform() < course.storms ? 20 : 0)
    return 0.9 - Self.margin * (lost - course.level * noise())
  }

  package mutating func fold(on night: Int) -> Double? { difference(on: night, deviation: course.fold) }

  package mutating func block(on night: Int) -> Double? { difference(on: night, deviation: course.block) }

  private mutating func difference(on night: Int, deviation: Double) -> Double {
    -Self.margin * (course.loss(on: night) + disaster() - deviation * noise())
  }

  /// Mean 0, deviation 1; skewed: 1 less an exponential.
  private mutating func noise() -> Double { course.isSkewed ? 1 + log(dice.uniform()) : dice.normal() }

  private mutating func disaster() -> Double { dice.uniform() < course.disasters ? 20 : 0 }

  /// The year with this course, watched; and the nights of it with a disaster.
  package static func year(_ course: DriftCourse, seed: UInt64, blocksANight: Int = 3) -> (WatchedYear, disasters: Int)
  {
    var sight = DrawnSight(course, seed: seed)
    let year = WatchedYear(&sight, margin: margin, blocksANight: blocksANight)
    return (year, sight.disasters)
  }
}
