import Foundation

@testable import Core

/// The slots of an expression found by looking at every minute: its fields and the zone are read by other code than the
/// calendar's.
struct Brute {
  private let minutes, hours, days, months, weekdays: [Bool]
  private let isDayStar, isWeekdayStar, isFixed: Bool

  /// - Parameter text: five fields of numbers, ranges, lists and steps.
  init(_ text: String) {
    let fields = text.split(separator: " ").map(String.init)
    func read(_ index: Int, _ low: Int, _ high: Int) -> [Bool] {
      var found = [Bool](repeating: false, count: 61)
      for part in fields[index].components(separatedBy: ",") {
        let pieces = part.components(separatedBy: "/")
        let ends = pieces[0] == "*" ? [low, high] : pieces[0].components(separatedBy: "-").compactMap { Int($0) }
        let step = pieces.count > 1 ? Int(pieces[1]) ?? 1 : 1
        for number in ends[0]...ends[ends.count - 1] where (number - ends[0]) % step == 0 { found[number] = true }
      }
      return found
    }
    minutes = read(0, 0, 59)
    hours = read(1, 0, 23)
    days = read(2, 1, 31)
    months = read(3, 1, 12)
    weekdays = read(4, 0, 6)
    isDayStar = fields[2].hasPrefix("*")
    isWeekdayStar = fields[4].hasPrefix("*")
    isFixed = !(fields[0] + fields[1]).contains("*") && !(fields[0] + fields[1]).contains("/")
  }

  /// Whether a local minute, counted since 1970, is one it names.
  private func matches(_ local: Int) -> Bool {
    guard minutes[local % 60], hours[local % 1440 / 60] else {
      return false
    }
    var seconds = time_t(local * 60)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    guard months[Int(parts.tm_mon) + 1] else { return false }
    let (day, weekday) = (days[Int(parts.tm_mday)], weekdays[Int(parts.tm_wday)])
    return isDayStar || isWeekdayStar ? day && weekday : day || weekday
  }

  /// - Parameters:
  ///   - range: minutes since 1970 UTC.
  ///   - offset: minutes by which local time is ahead, at a minute.
  func slots(in range: Range<Int>, offset: (Int) -> Int) -> [Int] {
    var found: [Int] = []
    // what the local clock has shown before: two days are more than any overlap
    var shown = (range.lowerBound - 2880..<range.lowerBound).map { $0 + offset($0) }.max() ?? 0
    for minute in range {
      let local = minute + offset(minute)
      if isFixed {
        if local > shown, ((shown + 1)...local).contains(where: { matches($0) }) { found.append(minute) }
        shown = max(shown, local)
      } else if matches(local) {
        found.append(minute)
      }
    }
    return found
  }
}
