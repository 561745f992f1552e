import Foundation
import Testing
import TrialWorlds
import Trials

/// A short form by default; ten times as many years where `PENSTOCK_SLOW_TESTS=1`.
@Suite struct WatchTests {
  typealias Years = [(night: Int, year: WatchedYear)]
  static let count = WorldTests.slow ? 1_000 : 100

  func years(_ change: @Sendable @escaping (inout DriftCourse) -> Void = { _ in }) -> Years {
    Many.of(Self.count) { seed in
      var course = DriftCourse.drawn(seed: seed)
      change(&course)
      return (course.night, DrawnSight.year(course, seed: seed).0)
    }
  }

  func demoted(_ years: Years) -> Int { years.count { $0.year.demotion != nil } }

  @Test(arguments: [0, 0.3, 0.5, 1]) func `drift: at most 0.1 false demotions a year in stationary years`(
    loss: Double
  ) {
    let years = years { ($0.loss, $0.lossAfter) = (loss, loss) }
    #expect(demoted(years) <= Self.count / 50)
    #expect(Share(demoted(years), of: Self.count).high <= 0.1)
  }

  @Test(arguments: [(2.0, 14), (3, 9), (6, 5)])
  func `drift: a loss on a hidden night is demoted within 14 nights in the median`(
    loss: Double, nights: Int
  ) {
    let all = years { $0.lossAfter = loss }
    // one that is never demoted is demoted later than any
    let delays = all.map { night, year in year.demotion.map { $0 - night + 1 } ?? .max }
    #expect(delays.count { $0 < .max } * 100 >= Self.count * 97)
    #expect(delays.count { $0 <= 0 } <= Self.count / 50)
    #expect(delays.sorted()[delays.count / 2] <= nights)
  }

  @Test func `drift: the watch of a stationary year takes at most a fifth of the fits of a production run a night`() {
    let all = years()
    #expect(all.reduce(0) { $0 + $1.year.fits } * 5 <= all.count * 365)
  }

  @Test(arguments: [2.0, 4]) func `drift: a drop common to both arms is no reason to demote`(margins: Double) {
    let all = years { $0.common = margins }
    #expect(demoted(all) * 10 <= Self.count)
    #expect(all.count { $0.year.alarms > 0 } * 100 >= Self.count * 90)
  }

  @Test func `drift: a slow ramp is demoted before it is a month at its worst`() {
    let all = years {
      $0.lossAfter = 6
      $0.ramp = 60
    }
    #expect(all.count { night, year in year.demotion.map { $0 > night + 90 } ?? true } == 0)
  }

  @Test func `drift: what comes back to clean is watched as before`() {
    let passing = years {
      $0.common = 4
      $0.lasts = 40
    }
    #expect(demoted(passing) * 20 <= Self.count)
  }

  @Test func `nights on which both arms fall away are no reason to demote`() {
    let all = years { $0.storms = 0.005 }
    #expect(demoted(all) * 20 <= Self.count)
    #expect(all.count { $0.year.alarms > 0 } * 2 >= Self.count)
  }

  @Test func `an arm with five per cent disasters is demoted within ten bad nights in 98 of 100 years`() {
    let all = Many.of(Self.count) { seed in
      var course = DriftCourse.drawn(seed: seed)
      course.disasters = 0.05
      return DrawnSight.year(course, seed: seed)
    }
    #expect(all.count { $0.0.demotion != nil } * 100 >= Self.count * 99)
    #expect(all.count { $0.disasters >= 10 } * 50 <= Self.count)
  }

  @Test func `one score that fell away among the first does not hide a fall that comes later`() {
    let delays = Many.of(Self.count) { seed in
      var dice = Dice(seed: seed)
      var watch = Watch(margin: 1)
      for night in 1...60 {
        watch.record(.night(score: dice.normal() - (night == 9 ? 15 : 0)))
        while case .block? = watch.wish(nightsSinceFold: 1) { watch.record(.block(difference: 0.2 * dice.normal())) }
      }
      return (1...60).first { _ in watch.record(.night(score: dice.normal() - 2)) != .calm } ?? 60
    }
    #expect(delays.sorted()[Self.count / 2] <= 8)
  }

  @Test func `an alarm says by how much the score fell, and for how long`() {
    var watch = Watch(margin: 0.01)
    for night in 1...40 { watch.record(.night(score: 0.9 + (night % 2 == 0 ? 0.01 : -0.01))) }
    #expect(watch.call == .calm)
    var nights = 0
    while watch.call == .calm, nights < 40 {
      watch.record(.night(score: 0.87))
      nights += 1
    }
    #expect((2...5).contains(nights))
    #expect(watch.call == .blocks(20, reason: "the score was 3 margins lower in the last \(nights) nights"))
  }

  @Test func `a crash in a paired fold demotes at once`() {
    var watch = Watch(margin: 0.01)
    guard case .demote(let reason) = watch.record(.fold(difference: nil)) else {
      Issue.record("\(watch.call)")
      return
    }
    #expect(reason.contains("crashed"))
    #expect(watch.record(.night(score: 0.9)) == watch.call)
    #expect(watch.wish(nightsSinceFold: nil) == nil)
  }

  @Test func `a paired fold is due each week, and up to three weeks apart as far as the folds acquit the arm`() {
    var watch = Watch(margin: 0.01)
    #expect(watch.wish(nightsSinceFold: nil) == .fold)
    var spacings: [Double] = []
    for difference in [0.015, -0.025, 0.02, -0.018, 0.015, 0, -0.001, 0.003, -0.002, 0.001, 0, 0, 0] {
      watch.record(.fold(difference: difference))
      spacings.append(watch.spacing)
      // a night may begin some minutes earlier than another
      #expect(watch.wish(nightsSinceFold: watch.spacing - 1) == nil)
      #expect(watch.wish(nightsSinceFold: watch.spacing - 0.1) == .fold)
    }
    #expect(spacings == spacings.sorted() && Set(spacings) == [7, 14, 21])
    for _ in 0..<3 { watch.record(.fold(difference: -0.03)) }
    #expect(watch.spacing == 7)
  }

  @Test(arguments: [(1.0, 0.0, 0.05), (2, 0.85, 1)])
  func `the blocks of an alarm convict an arm at the margin at most once in twenty, and one that loses two`(
    loss: Double, least: Double, most: Double
  ) {
    let worlds = Self.count * 4
    let convicted = Many.of(worlds) { seed in
      var dice = Dice(seed: seed)
      let deviation = 0.3 + 0.8 * dice.uniform()
      var watch = Watch(margin: 1)
      for _ in 0..<21 { watch.record(.night(score: 0.01 * dice.normal())) }
      while watch.call == .calm { watch.record(.night(score: -5)) }
      while watch.wish(nightsSinceFold: 1) == .block {
        watch.record(.block(difference: -loss + deviation * dice.normal()))
      }
      if case .demote = watch.call { return true } else { return false }
    }.count { $0 }
    #expect((Double(worlds) * least...Double(worlds) * most).contains(Double(convicted)))
  }
}
