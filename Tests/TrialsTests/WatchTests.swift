import Testing
import TrialWorlds
import Trials

@Suite struct WatchTests {
  func years(_ count: Int, _ change: @Sendable @escaping (inout WatchedYear.Course) -> Void) -> [(Int, WatchedYear)] {
    Many.of(count) { seed in
      var course = WatchedYear.Course.drawn(seed: seed)
      change(&course)
      return (course.night, WatchedYear(course, seed: seed))
    }
  }

  @Test func `drift: at most 0.1 false demotions a year in 100 stationary years`() {
    let demoted = years(100) { _ in }.count { $0.1.demotion != nil }
    #expect(demoted <= 10)
  }

  @Test func `drift: a loss of three margins on a hidden night is demoted within 14 nights in the median`() {
    let all = years(100) { $0.lossAfter = 3 }
    let delays = all.compactMap { night, year in year.demotion.map { $0 - night + 1 } }
    #expect(delays.count >= 98)
    #expect(delays.allSatisfy { $0 > 0 })
    #expect(delays.sorted()[delays.count / 2] <= 14)
  }

  @Test func `drift: a drop common to both arms is no reason to demote`() {
    let all = years(100) { $0.common = 4 }
    #expect(all.count { $0.1.demotion != nil } <= 5)
    #expect(all.count { $0.1.alarms > 0 } >= 90)
  }

  @Test func `drift: a slow ramp is demoted before it is a month at its worst`() {
    let all = years(60) {
      $0.lossAfter = 6
      $0.ramp = 60
    }
    let late = all.count { night, year in year.demotion.map { $0 > night + 90 } ?? true }
    #expect(late == 0)
  }

  @Test func `drift: what comes back to clean is watched as before`() {
    let passing = years(60) {
      $0.common = 4
      $0.lasts = 40
    }
    #expect(passing.count { $0.1.demotion != nil } <= 4)
  }

  @Test func `an arm with five per cent disasters is demoted within ten bad nights in 98 of 100 years`() {
    let all = years(100) { $0.disasters = 0.05 }
    #expect(all.count { $0.1.demotion != nil } >= 99)
    #expect(all.count { $0.1.disasters >= 10 } <= 2)
  }

  @Test func `a crash in a paired fold demotes at once`() {
    var watch = Watch(margin: 0.01)
    guard case .demote(let reason) = watch.record(.fold(difference: nil)) else {
      Issue.record("\(watch.call)")
      return
    }
    #expect(reason.contains("crashed"))
    #expect(watch.record(.night(score: 0.9)) == watch.call)
  }

  @Test(arguments: [nil, 0.25]) func `the detector's mean time to a false alarm is at least its threshold`(
    floor: Double?
  ) {
    let lengths = Many.of(60) { seed in
      var dice = Dice(seed: seed)
      var detector = ShiryaevRoberts(runLength: 50, floor: floor)
      var length = 0.0
      while !detector.isAlarm, length < 600 {
        detector.add(dice.normal())
        length += 1
      }
      return length
    }
    #expect(lengths.reduce(0, +) / 60 >= 50)
  }
}
