import Foundation
import Testing
import TrialWorlds
import Trials

@Suite struct DetectorTests {
  static let worlds = WorldTests.slow ? 2_000 : 100

  @Test func `pairs: the mean time to a false alarm is at least the threshold`() {
    let lengths = Many.of(Self.worlds) { seed in
      var dice = Dice(seed: seed)
      var detector = ShiryaevRoberts(runLength: 50, floor: 0.25)
      var length = 0.0
      while !detector.isAlarm, length < 600 {
        detector.add(dice.normal())
        length += 1
      }
      return length
    }
    #expect(Moments(lengths).mean >= 50)
  }

  @Test(arguments: [(0.0, 1.0), (0.9, 0.01), (-2000, 300)])
  func `level: the mean time to a false alarm is at least the threshold, whatever the level and the scatter`(
    level: Double, scatter: Double
  ) {
    let lengths = Many.of(Self.worlds) { seed in
      var dice = Dice(seed: seed)
      var detector = LevelDetector(runLength: 50, floor: 0)
      var length = 0.0
      while !detector.isAlarm, length < 600 {
        detector.add(level + scatter * dice.normal())
        length += 1
      }
      return length
    }
    #expect(Moments(lengths).mean >= 50)
  }

  @Test func `level: the evidence is the mixture, integrated numerically`() {
    // by scipy: for each start the likelihood ratio of a fall of d deviations, d half-normal, over flat levels and 1 / s
    var detector = LevelDetector(runLength: 365, floor: 0)
    for score in [0.93, 0.91, 0.94, 0.92, 0.90, 0.88, 0.89] { detector.add(score) }
    #expect(abs(detector.evidence - 20.509611179407337) < 1e-9)
    #expect(!detector.isAlarm)
  }

  @Test func `level: moving and stretching all scores changes nothing`() {
    var dice = Dice(seed: 4)
    var (plain, moved) = (LevelDetector(runLength: 365, floor: 0), LevelDetector(runLength: 365, floor: 0))
    for _ in 0..<60 {
      let score = dice.normal()
      plain.add(score)
      moved.add(40 + 7 * score)
      #expect(abs(plain.evidence - moved.evidence) <= 1e-9 * max(1, plain.evidence))
    }
  }

  @Test func `level: scores that are all the same are no fall, and a fall of two deviations is seen within a week`() {
    var detector = LevelDetector(runLength: 365, floor: 0.25)
    for _ in 0..<400 { detector.add(3) }
    #expect(detector.evidence < 1)
    let delays = Many.of(Self.worlds) { seed in
      var dice = Dice(seed: seed)
      var detector = LevelDetector(runLength: 365, floor: 0.25)
      for _ in 0..<60 { detector.add(dice.normal()) }
      if detector.isAlarm { return 0 }
      return (1...60).first { _ in
        detector.add(dice.normal() - 2)
        return detector.isAlarm
      } ?? 60
    }
    #expect(delays.sorted()[Self.worlds / 2] <= 7)
  }
}
