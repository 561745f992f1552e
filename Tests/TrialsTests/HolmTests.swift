import Foundation
import Testing
import Trials

@Suite struct HolmTests {
  @Test func `the bar of an arm is what is open over alpha times its weight`() {
    var holm = Holm(error: 0.05, weights: [0, 0.5, 0.3, 0.2])
    #expect(abs(exp(holm.logThreshold(of: 1)) - 40) < 1e-9)
    #expect(abs(exp(holm.logThreshold(of: 3)) - 100) < 1e-9)
    #expect(holm.logThreshold(of: 0) == .infinity)
    holm.reject(1)
    #expect(abs(exp(holm.logThreshold(of: 2)) - 0.5 / (0.05 * 0.3)) < 1e-9)
    holm.reject(2)
    #expect(abs(exp(holm.logThreshold(of: 3)) - 20) < 1e-9)
  }

  @Test func `of many arms at the margin any is accepted in at most alpha of all worlds`() {
    let worlds = 1_000
    var wrong = 0
    var dice = Dice(seed: 12)
    for _ in 0..<worlds {
      let holm = Holm(error: 0.05, weights: [0.4, 0.2, 0.2, 0.1, 0.1])
      let accepted = (0..<5).contains { arm in
        var values = Moments()
        return (0..<100).contains { _ in
          values.add(dice.normal())
          return EProcess.logE(values, floor: 0) >= holm.logThreshold(of: arm)
        }
      }
      if accepted { wrong += 1 }
    }
    #expect(Double(wrong) <= 0.05 * Double(worlds) + 2 * (0.05 * Double(worlds)).squareRoot())
    #expect(wrong > 0)
  }
}
