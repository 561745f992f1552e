import Core
import Foundation
import Testing

@Suite struct BreakerTests {
  private let noon = Date(timeIntervalSince1970: 1_763_640_000)

  private func state(_ failures: Int) -> BreakerState {
    BreakerState(pipeline: "p", stage: "s", failures: failures, failed: noon, reason: "")
  }

  @Test func `it opens after so many failures in a row, and closes when it has cooled down`() {
    let breaker = Breaker(failures: 3, cooldown: .seconds(60))
    #expect(state(2).reopens(under: breaker, at: noon) == nil)
    #expect(state(3).reopens(under: breaker, at: noon) == noon + 60)
    #expect(state(9).reopens(under: breaker, at: noon + 59) == noon + 60)
    #expect(state(3).reopens(under: breaker, at: noon + 60) == nil)
  }

  @Test(arguments: [
    ("data", "data.said"), ("model.diverged", "model.diverged"), ("system.disk-full", "system.disk-full"),
  ])
  func `a program says the class of its failure, and may add a code`(text: String, code: String) {
    #expect(StageError(text)?.code == code)
  }

  @Test(arguments: ["", "weather", "data.", "data.a b", ".x", "data.a.b"])
  func `what is no class is none`(text: String) { #expect(StageError(text) == nil) }

  @Test(arguments: [("5/s", 5.0), ("300/m", 5), ("3600/h", 1), ("0.5/s", 0.5)])
  func `a rate is so many in a time`(text: String, perSecond: Double) throws {
    #expect(try Quantity.rate(text) == perSecond)
  }

  @Test(arguments: ["5", "5/", "/s", "5/d", "0/s", "-1/s", "5/s/s", "x/s", ""])
  func `what is no rate is refused`(text: String) {
    #expect(throws: Quantity.Malformed.self) { try Quantity.rate(text) }
  }
}
