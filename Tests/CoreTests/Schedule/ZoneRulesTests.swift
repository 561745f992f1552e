import Foundation
import Testing

@testable import Core

@Suite struct ZoneRulesTests {
  @Test func `a zone of the tz database is what Foundation knows of it, also after the years it lists`() throws {
    for name in ["Europe/Berlin", "America/Santiago", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"] {
      let rules = try #require(try ZoneRules(ofFile: name))
      let zone = try #require(TimeZone(identifier: name))
      for hour in stride(from: 1_600_000_000, to: 2_600_000_000, by: 7 * 3600 + 1800) {
        let expected = zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(hour)))
        guard rules.offset(at: hour) != expected else { continue }
        Issue.record("\(name) at \(hour): \(rules.offset(at: hour)), not \(expected)")
        break
      }
    }
  }

  @Test func `a TZ string says its rule for all years`() throws {
    let berlin = try #require(ZoneRules(posix: "CET-1CEST,M3.5.0,M10.5.0/3"))
    let files = try #require(try ZoneRules(ofFile: "Europe/Berlin"))
    for day in stride(from: 1_700_000_000, to: 3_000_000_000, by: 43_200) {
      #expect(berlin.offset(at: day) == files.offset(at: day))
    }
    #expect(ZoneRules(posix: "<+0545>-5:45") == ZoneRules(first: 20_700))
    #expect(ZoneRules(posix: "EST5")?.spans.count == 1)
    for wrong in ["", "C", "CET", "CET-1CEST", "CET-1CEST,M13.1.0,M10.5.0", "CET-1CEST,M3.5.0", "<CET-1"] {
      #expect(ZoneRules(posix: wrong) == nil, "\(wrong)")
    }
  }

  @Test func `a damaged file is no zone, wherever it is cut or changed`() throws {
    let url = URL(filePath: "/usr/share/zoneinfo/Europe/Berlin")
    let bytes = Array(try Data(contentsOf: url))
    for end in stride(from: 0, to: bytes.count - 40, by: 7) { #expect(ZoneRules(tzif: Array(bytes[..<end])) == nil) }
    var random = Seeded(7)
    for _ in 0..<2000 {
      var broken = bytes
      broken[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      _ = ZoneRules(tzif: broken)
    }
  }

  @Test(arguments: [
    ("30 2 * * *", "2026-03-29T01:00:00Z", "gap"), ("0 3 * * *", "2026-03-29T01:00:00Z", "day"),
    ("30 2 * * *", "2026-10-25T00:30:00Z", "first"), ("*/30 2 * * *", "2026-10-25T01:30:00Z", "second"),
    ("0 9 * * *", "2026-10-25T08:00:00Z", "day"), ("30 2 * * *", "2026-10-26T01:30:00Z", "none"),
  ])
  func `T06: a preview marks what the clocks do on the day of a slot`(text: String, due: String, kind: String) throws {
    let slots = CronSlots(try CronExpression(text), in: try #require(try ZoneRules(ofFile: "Europe/Berlin")))
    let moment = Int(try #require(Timestamp.date(due)).timeIntervalSince1970)
    #expect(slots.next(after: moment - 1) == moment)
    #expect(SlotMark(due: moment, of: slots)?.kind.rawValue ?? "none" == kind)
  }
}
