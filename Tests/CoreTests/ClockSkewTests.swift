import Core
import Foundation
import Testing

@Suite struct ClockSkewTests {
  @Test func `I22 a clock of the filesystem that is ahead is told, one that is behind says nothing`() {
    let now = Date(timeIntervalSince1970: 1_763_640_000)
    func words(_ seconds: Double) -> String? {
      ClockSkew.words(changed: Int64((now.timeIntervalSince1970 + seconds) * 1_000_000_000), now: now)
    }
    #expect(words(0) == nil && words(59) == nil && words(-86_400) == nil)
    #expect(words(7200)?.contains("stamped 7200 s ahead") == true)
  }
}
