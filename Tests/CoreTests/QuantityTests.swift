import Core
import Testing

@Suite struct QuantityTests {
  @Test(arguments: [
    ("90s", Duration.seconds(90)), ("1h30m", .seconds(5400)), ("250ms", .milliseconds(250)),
    ("1.5h", .seconds(5400)), ("2d", .seconds(172_800)), ("0s", .zero), ("1m0s", .seconds(60)),
  ])
  func `a duration is read`(text: String, expected: Duration) throws {
    #expect(try Quantity.duration(text) == expected)
  }

  @Test(arguments: [
    ("10MiB", 10 << 20), ("2GB", 2_000_000_000), ("512B", 512), ("1.5KiB", 1536), ("1kB", 1000),
    ("1TiB", 1 << 40),
  ])
  func `a size is read`(text: String, expected: Int) throws {
    #expect(try Quantity.size(text) == expected)
  }

  @Test(arguments: [("20%", 0.2), ("0.2", 0.2), ("99.5%", 0.995)])
  func `a part of a whole is read`(text: String, expected: Double) throws {
    #expect(abs(try Quantity.fraction(text) - expected) < 1e-12)
  }

  @Test(arguments: [
    ("90", "`90` has no unit", "write `90s` or `90m`"),
    ("90 s", "`90 s` is not a duration such as `90s` or `1h30m`", nil),
    ("", "`` is not a duration such as `90s` or `1h30m`", nil),
    ("s", "`s` is not a duration such as `90s` or `1h30m`", nil),
    ("-5s", "`-5s` is not a duration such as `90s` or `1h30m`", nil),
    ("1e3s", "`e` is no unit in `1e3s`", "units: `ms`, `s`, `m`, `h`, `d`"),
    ("5min", "`min` is no unit in `5min`", "did you mean `m`?"),
    ("30m1h", "`30m1h` does not go from the larger unit to the smaller", nil),
    ("1m1m", "`1m1m` does not go from the larger unit to the smaller", nil),
    ("99999999999d", "`99999999999d` is too long a time", nil),
    (".5s", "`.5s` is not a duration such as `90s` or `1h30m`", nil),
    ("\u{661}s", "`\u{661}s` is not a duration such as `90s` or `1h30m`", nil),
  ])
  func `what is no duration is refused in words`(text: String, reason: String, hint: String?) {
    #expect(throws: Quantity.Malformed(reason: reason, hint: hint)) { try Quantity.duration(text) }
  }

  @Test(arguments: [
    ("10", "`10` has no unit", "write `10MiB` or `10GB`"),
    ("10mb", "`mb` is no unit in `10mb`", "did you mean `MB`?"),
    ("99999999TiB", "`99999999TiB` is too large a size", nil),
  ])
  func `what is no size is refused in words`(text: String, reason: String, hint: String?) {
    #expect(throws: Quantity.Malformed(reason: reason, hint: hint)) { try Quantity.size(text) }
  }

  @Test(arguments: [
    ("20", "`20` is not between 0 and 1", "write `20%`"),
    ("0", "`0` is not between 0 and 1", "a part of a whole is such as `20%` or `0.2`"),
    ("100%", "`100%` is not between 0 and 1", "a part of a whole is such as `20%` or `0.2`"),
    ("200%", "`200%` is not between 0 and 1", "a part of a whole is such as `20%` or `0.2`"),
    ("all", "`all` is not a part of a whole such as `20%` or `0.2`", nil),
  ])
  func `what is no part of a whole is refused in words`(text: String, reason: String, hint: String?) {
    #expect(throws: Quantity.Malformed(reason: reason, hint: hint)) { try Quantity.fraction(text) }
  }

  @Test func `what is spelled is read back`() throws {
    var chance = Seeded(7)
    for _ in 0..<500 {
      let duration = Duration.milliseconds(Int64.random(in: 0...10_000_000_000, using: &chance))
      #expect(try Quantity.duration(Quantity.spelled(duration)) == duration)
      let bytes = Int.random(in: 0...(1 << 50), using: &chance) >> Int.random(in: 0...50, using: &chance)
      #expect(try Quantity.size(Quantity.spelled(bytes: bytes)) == bytes)
    }
    #expect(Quantity.spelled(bytes: 512 << 20) == "512MiB")
  }

  @Test func `a number without end is none, and no reason holds what a terminal obeys`() {
    #expect(throws: Quantity.Malformed.self) { try Quantity.percent(String(repeating: "9", count: 400) + "%") }
    let wrong = #expect(throws: Quantity.Malformed.self) { try Quantity.duration("5x\u{1B}[2J") }
    #expect(wrong?.reason.contains("\u{1B}") == false)
  }
}
