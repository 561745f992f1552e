import Foundation
import Testing
import Trials

@Suite struct EProcessTests {
  @Test func `log E is that of an independent script within 1e-9`() throws {
    let cases = try Exact().e
    #expect(cases.count > 40)
    for exact in cases {
      let own = EProcess.logE(Moments(exact.z), floor: exact.floor)
      #expect(abs(own - exact.logE) <= 1e-9 * max(1, abs(exact.logE)), "\(exact.z.count) values, floor \(exact.floor)")
    }
  }

  @Test func `the closed form is the mixture, integrated numerically`() throws {
    let cases = try Exact().e.filter { $0.integrated != nil }
    #expect(cases.count >= 12)
    for exact in cases {
      let own = EProcess.logE(Moments(exact.z), floor: exact.floor)
      #expect(abs(own - (exact.integrated ?? 0)) <= 1e-8, "\(exact.z.count) values, floor \(exact.floor)")
    }
  }

  @Test(arguments: [2, 3, 5, 8]) func `its mean at the null is 1`(count: Int) {
    var dice = Dice(seed: UInt64(count))
    let worlds = 60_000
    let e = Moments(
      (0..<worlds).map { _ in exp(EProcess.logE(Moments((0..<count).map { _ in dice.normal() }), floor: 0)) })
    let error = ((e.variance ?? 0) / Double(worlds)).squareRoot()
    #expect(abs(e.mean - 1) < 4 * error)
    #expect(error < 0.03)
  }

  @Test(arguments: [0.1, 0.05, 0.01])
  func `looked at after each of 365 values, it reaches 1/a at most in a of all worlds`(
    share: Double
  ) {
    let worlds = 2_000
    for floor in [0.0, 0.25] {
      var dice = Dice(seed: 7)
      var reached = 0
      for _ in 0..<worlds {
        var values = Moments()
        for _ in 0..<365 {
          values.add(dice.normal())
          if EProcess.logE(values, floor: floor) >= -log(share) {
            reached += 1
            break
          }
        }
      }
      let limit = share * Double(worlds) + 2.5 * (share * Double(worlds)).squareRoot()
      #expect(Double(reached) <= limit, "floor \(floor): \(reached) of \(worlds)")
    }
  }

  @Test func `a value that is lower never gives more evidence where the mean is above zero`() {
    var dice = Dice(seed: 3)
    for _ in 0..<500 {
      let values = (0..<6).map { _ in 0.2 + dice.normal() }
      let lower = values.map { $0 - 0.1 }
      #expect(EProcess.logE(Moments(lower), floor: 0.1) < EProcess.logE(Moments(values), floor: 0.1))
    }
  }

  @Test func `a floor never raises the evidence of a gain`() {
    var dice = Dice(seed: 4)
    for _ in 0..<500 {
      let values = Moments((0..<5).map { _ in 1 + 0.5 * dice.normal() })
      guard values.mean > 0 else { continue }
      let e = [0, 0.25, 0.5, 1, 2].map { EProcess.logE(values, floor: $0) }
      #expect(zip(e, e.dropFirst()).allSatisfy { $0 >= $1 - 1e-12 })
    }
  }

  @Test func `values that are all the same prove no more than half a log of 1 + 1/kappa² each`() {
    for count in 3...20 {
      let same = Moments(Array(repeating: 0.01, count: count))
      let most = Double(count) * 0.5 * log(1 + 16) + log(2)
      #expect(EProcess.logE(same, floor: 0.0025) < most)
    }
  }

  @Test func `the interval ends where the evidence begins`() {
    let values = Moments([0.011, 0.007, 0.013, 0.009, 0.012, 0.008])
    let interval = Interval(values, confidence: 0.95, floor: 0.0025)
    #expect(interval.low < values.mean && values.mean < interval.high)
    let bar = log(20.0)
    #expect(abs(EProcess.logE(values.shifted(by: -interval.low), floor: 0.0025) - bar) < 1e-6)
    #expect(abs(EProcess.logE(values.negated.shifted(by: interval.high), floor: 0.0025) - bar) < 1e-6)
  }

  @Test func `each end of the interval is right at every look in 95 % of worlds`() {
    var dice = Dice(seed: 11)
    let worlds = 400
    var (tooHigh, tooLow) = (0, 0)
    for _ in 0..<worlds {
      var values = Moments()
      var ends = (low: -Double.infinity, high: Double.infinity)
      for _ in 0..<60 {
        values.add(1 + dice.normal())
        if values.count < 3 { continue }
        let interval = Interval(values, confidence: 0.95, floor: 0)
        ends = (max(ends.low, interval.low), min(ends.high, interval.high))
      }
      if ends.low > 1 { tooHigh += 1 }
      if ends.high < 1 { tooLow += 1 }
    }
    #expect(tooHigh <= 30 && tooLow <= 30)
  }
}
