import Core
import Foundation
import Testing

@Suite struct TimestampTests {
  private let berlin = TimeZone(identifier: "Europe/Berlin") ?? .gmt

  @Test func `a moment is written with milliseconds and offset`() {
    let winter = Date(timeIntervalSince1970: 1_763_640_000.125)
    #expect(Timestamp.text(winter, in: berlin) == "2025-11-20T13:00:00.125+01:00")
    #expect(Timestamp.text(winter, in: .gmt) == "2025-11-20T12:00:00.125Z")
  }

  @Test(arguments: [0.0, 0.9994, 0.9995, 0.9996, 0.99999, 1_763_640_000.9999, 4_102_444_799.9999, 1e-4])
  func `what is written can be read back to the millisecond`(seconds: Double) throws {
    let date = Date(timeIntervalSince1970: seconds)
    let text = Timestamp.text(date, in: berlin)
    let parsed = try #require(Timestamp.date(text), "\(text)")
    #expect(abs(parsed.timeIntervalSince(date)) <= 0.00101, "\(text)")
    #expect(text.count == 29)
  }

  @Test(arguments: ["2026-11-20T02:50:00+01:00", "2026-11-20T02:50:00.5+01:00", "2026-11-20T01:50:00Z"])
  func `other spellings of RFC 3339 are read`(text: String) throws {
    let date = try #require(Timestamp.date(text))
    #expect(abs(date.timeIntervalSince1970 - 1_795_139_400) < 1)
  }

  @Test(arguments: ["", "now", "2026-11-20", "2026-11-20T02:50:00", "20:00"])
  func `what is no moment is none`(text: String) {
    #expect(Timestamp.date(text) == nil)
  }

  @Test(arguments: ["Europe/Berlin", "GMT", "America/St_Johns", "Asia/Kathmandu", "Pacific/Apia", "Africa/Monrovia"])
  func `it is written as Foundation writes it`(zone: String) throws {
    let zone = try #require(TimeZone(identifier: zone))
    let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true, timeZone: zone)
      .year().month().day().dateSeparator(.dash)
      .time(includingFractionalSeconds: true).timeSeparator(.colon)
      .timeZone(separator: .colon)
    var chance = Seeded(3)
    let leapDays = [951_782_400.0, 1_709_164_800, 4_107_542_400, 68_169_600].map { $0 + 43_200.25 }
    let others = (0..<400).map { _ in Double(Int.random(in: 0..<8_000_000_000_000, using: &chance)) / 1000 + 0.0001 }
    for seconds in leapDays + others {
      let date = Date(timeIntervalSince1970: seconds)
      #expect(Timestamp.text(date, in: zone) == date.formatted(style))
    }
  }
}
