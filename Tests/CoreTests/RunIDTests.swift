import Core
import Foundation
import Testing

@Suite struct RunIDTests {
  @Test func `ids are UUIDv7 and sort by their time`() {
    var chance = Seeded(4)
    let ids = (0..<500).map {
      RunID(now: Date(timeIntervalSince1970: 1_763_640_000 + Double($0) / 100), using: &chance)
    }
    #expect(ids == ids.sorted() && Set(ids).count == 500)
    for id in ids {
      #expect(RunID(id.text) == id && id.text.utf8.count == 36)
      #expect(Array(id.text)[14] == "7" && "89ab".contains(Array(id.text)[19]))
    }
  }

  @Test func `of one millisecond ids differ all the same`() {
    var chance = SystemRandomNumberGenerator()
    #expect(Set((0..<2000).map { _ in RunID(now: Date(timeIntervalSince1970: 1), using: &chance) }).count == 2000)
  }

  @Test func `a clock before 1970 makes an id too`() {
    var chance = Seeded(5)
    #expect(RunID(now: Date(timeIntervalSince1970: -5), using: &chance).text.hasPrefix("00000000-0000-7"))
  }

  @Test(arguments: [
    "", "last", "019a9f00-0000-7000-8000-00000000000", "../../../../../../../../../../etc/pas",
    "019a9f00-0000-7000-8000-00000000000g",
  ])
  func `what is no id is none`(text: String) {
    #expect(RunID(text) == nil)
  }

  @Test func `capital letters are the same id`() {
    #expect(RunID("019A9F00-0000-7000-8000-00000000000F") == RunID("019a9f00-0000-7000-8000-00000000000f"))
  }

  @Test func `an id is the same after it was a number`() throws {
    for text in ["01a00000-0000-7000-8000-000000000000", "fedcba98-7654-3210-0123-456789abcdef"] {
      let id = try #require(RunID(text))
      #expect(RunID(id.bits) == id)
    }
    var generator = Seeded(7)
    let ids = (0..<500).map { RunID(now: Date(timeIntervalSince1970: Double($0)), using: &generator) }
    #expect(ids.map { RunID($0.bits) } == ids && Set(ids.map { $0.bits }).count == 500)
  }
}
