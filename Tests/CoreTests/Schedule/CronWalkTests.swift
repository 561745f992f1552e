import Foundation
import TestSupport
import Testing

@testable import Core

/// The calendar against a walk over every minute.
@Suite struct CronWalkTests {
  static let zones = [
    "UTC", "Europe/Berlin", "Europe/London", "Europe/Dublin", "Europe/Lisbon", "Europe/Moscow", "Europe/Istanbul",
    "Europe/Chisinau", "Africa/Cairo", "Africa/Casablanca", "Africa/El_Aaiun", "Africa/Lagos", "Africa/Johannesburg",
    "Africa/Juba", "Africa/Monrovia", "America/New_York", "America/Chicago", "America/Denver", "America/Phoenix",
    "America/Los_Angeles", "America/Anchorage", "America/St_Johns", "America/Halifax", "America/Havana",
    "America/Sao_Paulo", "America/Santiago", "America/Asuncion", "America/Scoresbysund", "America/Nuuk",
    "America/Mexico_City", "America/Tijuana", "America/Port-au-Prince", "America/Caracas", "Asia/Kolkata",
    "Asia/Kathmandu", "Asia/Tehran", "Asia/Gaza", "Asia/Beirut", "Asia/Amman", "Asia/Tokyo", "Asia/Shanghai",
    "Asia/Pyongyang", "Australia/Lord_Howe", "Australia/Sydney", "Australia/Adelaide", "Australia/Eucla",
    "Pacific/Auckland", "Pacific/Chatham", "Pacific/Apia", "Antarctica/Troll",
  ]

  /// What the tests of a zone look at: all minutes of ten years, or, short, a day around each change of the
  /// clocks and two hours around the turn of each year.
  private static let isWhole = ProcessInfo.processInfo.environment["PENSTOCK_SLOW_TESTS"] == "1"
  private static let years = 2018..<2028

  private static func windows(_ zone: ZoneRules) -> [Range<Int>] {
    func first(_ year: Int) -> Int { CivilDay(year: year, month: 1, day: 1).number * 1440 }
    let whole = first(years.lowerBound)..<first(years.upperBound)
    if isWhole { return [whole] }
    let changes = zone.spans.dropFirst().map { $0.start / 60 }.filter { whole.contains($0) }
    var windows = (changes.map { $0 - 720..<$0 + 720 } + years.map { first($0) - 60..<first($0) + 60 })
      .sorted { $0.lowerBound < $1.lowerBound }
    windows = windows.reduce(into: []) { merged, next in
      if let last = merged.last, last.upperBound >= next.lowerBound {
        merged[merged.count - 1] = last.lowerBound..<max(last.upperBound, next.upperBound)
      } else {
        merged.append(next)
      }
    }
    return windows
  }

  /// What a zone's clocks show, in minutes, by Foundation and the tz data it brings along.
  private static func offsets(_ name: String) -> (Int) -> Int {
    let zone = TimeZone(identifier: name) ?? .gmt
    let unknown = Int16.max
    let first = CivilDay(year: years.lowerBound - 1, month: 12, day: 1).number * 96
    var known = [Int16](repeating: unknown, count: (years.count * 366 + 60) * 96)
    // the clocks are set at quarters of an hour
    return { minute in
      let quarter = minute / 15
      if known[quarter - first] == unknown {
        let date = Date(timeIntervalSince1970: Double(quarter * 900))
        known[quarter - first] = Int16(zone.secondsFromGMT(for: date) / 60)
      }
      return Int(known[quarter - first])
    }
  }

  @Test(arguments: zones.indices)
  func `T01 T02: slots are those that a walk over every minute finds`(index: Int) throws {
    let name = Self.zones[index]
    let rules = try #require(try ZoneRules(ofFile: name))
    let offsets = Self.offsets(name)
    var random = Seeded(UInt64(index) &* 7919 &+ 11)
    var texts = ["30 2 * * *", "*/15 * * * *", "0 0 * * *", "15,45 0-3 * * *", "0 */2 * * 0", "5 1 29 2 *"]
    texts += (0..<(Self.isWhole ? 4 : 2)).map { _ in RandomCron.make(&random) }
    for text in texts {
      guard let expression = try? CronExpression(text) else { continue }
      let (brute, slots) = (Brute(text), CronSlots(expression, in: rules))
      for window in Self.windows(rules) {
        var (found, moment) = ([Int](), window.lowerBound * 60 - 1)
        while let next = slots.next(after: moment), next < window.upperBound * 60 {
          #expect(next > moment)
          found.append(next / 60)
          moment = next
        }
        let expected = brute.slots(in: window, offset: offsets)
        guard found != expected else { continue }
        let difference = Set(found).symmetricDifference(expected).sorted().prefix(3).map {
          Date(timeIntervalSince1970: Double($0 * 60))
        }
        Issue.record("`\(text)` in \(name): \(found.count) slots, the walk has \(expected.count); first \(difference)")
        break
      }
    }
  }

  @Test func `next jumps: a leap day eight years away costs no walk`() throws {
    let slots = CronSlots(try CronExpression("0 0 29 2 *"), in: .utc)
    let before = CivilDay(year: 2096, month: 3, day: 1).number * 86400
    let start = ContinuousClock.now
    for _ in 0..<1000 { #expect(slots.next(after: before) == CivilDay(year: 2104, month: 2, day: 29).number * 86400) }
    #expect(ContinuousClock.now - start < .seconds(2))
  }
}

/// Expressions of numbers alone.
enum RandomCron {
  static func make(_ random: inout Seeded) -> String {
    [field(0, 59, &random), field(0, 23, &random), field(1, 31, &random), field(1, 12, &random), field(0, 6, &random)]
      .joined(separator: " ")
  }

  private static func field(_ low: Int, _ high: Int, _ random: inout Seeded) -> String {
    switch Int.random(in: 0..<8, using: &random) {
    case 0..<3: return "*"
    case 3: return "*/\(Int.random(in: 2...((high - low) / 2), using: &random))"
    case 4:
      let start = Int.random(in: low...high, using: &random)
      return "\(start)-\(Int.random(in: start...high, using: &random))"
    case 5:
      let start = Int.random(in: low..<high, using: &random)
      return "\(start)-\(high)/\(Int.random(in: 1...max(1, (high - low) / 2), using: &random))"
    default:
      return (0..<Int.random(in: 1...3, using: &random)).map { _ in String(Int.random(in: low...high, using: &random)) }
        .joined(separator: ",")
    }
  }
}

extension ZoneRules {
  /// Of the tz database of this machine; `nil` where it has none.
  init?(ofFile name: String) throws {
    guard let bytes = FileManager.default.contents(atPath: "/usr/share/zoneinfo/" + name) else { return nil }
    self.init(tzif: Array(bytes))
  }
}
