/// The rule of a zone for all years to come, the `TZ` string of POSIX: `CET-1CEST,M3.5.0,M10.5.0/3`.
///
/// POSIX.1-2017, Base Definitions 8.3, with the wider hours of RFC 9636, section 3.3.1.
struct PosixZone: Equatable {
  /// Seconds east of Greenwich.
  let standard: Int
  let summer: Summer?

  struct Summer: Equatable {
    let offset: Int
    let start: Day
    let end: Day
  }

  /// A day of each year, and the second of it, local time, at which the clocks are set.
  struct Day: Equatable {
    enum Kind: Equatable {
      /// The weekday (0 is Sunday) of the week, 5 is the last, of the month.
      case weekday(month: Int, week: Int, weekday: Int)
      /// 1...365; 29 February is never counted.
      case julian(Int)
      /// 0...365.
      case zeroBased(Int)
    }

    let kind: Kind
    let second: Int

    /// Seconds since 1970 as a local clock counts them.
    func local(in year: Int) -> Int {
      let first = CivilDay(year: year, month: 1, day: 1).number
      let day: Int
      switch kind {
      case .zeroBased(let number): day = first + number
      case .julian(let number):
        let isLeap = CivilDay(year: year, month: 3, day: 1).number - first == 60
        day = first + number - 1 + (isLeap && number >= 60 ? 1 : 0)
      case .weekday(let month, let week, let weekday):
        let start = CivilDay(year: year, month: month, day: 1)
        let shift = (weekday - start.weekday + 7) % 7
        var found = start.number + shift + (week - 1) * 7
        while found >= start.nextMonth.number { found -= 7 }
        day = found
      }
      return day * 86400 + second
    }
  }

  /// RFC 9636: hours of a change go from -167 to 167.
  private static let week = 168 * 3600

  /// `nil` for what is no such text.
  init?(_ text: String) {
    var reader = Reader(rest: Array(text.utf8)[...])
    guard reader.skipName(), let west = reader.offset() else { return nil }
    guard abs(west) < 2 * 86400 else { return nil }
    standard = -west
    if reader.rest.isEmpty {
      summer = nil
      return
    }
    guard reader.skipName() else { return nil }
    var offset = standard + 3600
    if let next = reader.rest.first, next != UInt8(ascii: ",") {
      guard let said = reader.offset() else { return nil }
      offset = -said
    }
    guard let start = reader.day(), let end = reader.day(), reader.rest.isEmpty else { return nil }
    guard abs(start.second) < Self.week, abs(end.second) < Self.week, abs(offset) < 2 * 86400 else { return nil }
    summer = Summer(offset: offset, start: start, end: end)
  }

  /// The changes of the clocks in a year, in order.
  func changes(in year: Int) -> [ZoneRules.Span] {
    guard let summer else { return [] }
    let on = ZoneRules.Span(start: summer.start.local(in: year) - standard, offset: summer.offset)
    let off = ZoneRules.Span(start: summer.end.local(in: year) - summer.offset, offset: standard)
    return on.start < off.start ? [on, off] : [off, on]
  }
}

private struct Reader {
  var rest: ArraySlice<UInt8>

  private mutating func take(_ byte: Character) -> Bool {
    guard let first = rest.first, first == byte.asciiValue else { return false }
    rest.removeFirst()
    return true
  }

  /// Three letters or more, or anything in `<…>`.
  mutating func skipName() -> Bool {
    if take("<") {
      guard let end = rest.firstIndex(of: UInt8(ascii: ">")) else { return false }
      rest = rest[(end + 1)...]
      return true
    }
    let letters = rest.prefix { ($0 | 0x20) >= UInt8(ascii: "a") && ($0 | 0x20) <= UInt8(ascii: "z") }
    rest = rest.dropFirst(letters.count)
    return letters.count >= 3
  }

  private mutating func number() -> Int? {
    let digits = rest.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
    guard !digits.isEmpty, digits.count <= 3 else { return nil }
    rest = rest.dropFirst(digits.count)
    return Int(String(decoding: digits, as: UTF8.self))
  }

  /// `[+-]hh[:mm[:ss]]`, in seconds.
  mutating func offset() -> Int? {
    let isNegative = take("-")
    if !isNegative { _ = take("+") }
    guard var seconds = number().map({ $0 * 3600 }) else { return nil }
    for unit in [60, 1] where take(":") {
      guard let part = number() else { return nil }
      seconds += part * unit
    }
    return isNegative ? -seconds : seconds
  }

  mutating func day() -> PosixZone.Day? {
    guard take(",") else { return nil }
    let kind: PosixZone.Day.Kind
    if take("M") {
      guard let month = number(), take("."), let week = number(), take("."), let weekday = number(),
        (1...12).contains(month), (1...5).contains(week), (0...6).contains(weekday)
      else { return nil }
      kind = .weekday(month: month, week: week, weekday: weekday)
    } else if take("J") {
      guard let day = number(), (1...365).contains(day) else { return nil }
      kind = .julian(day)
    } else {
      guard let day = number(), (0...365).contains(day) else { return nil }
      kind = .zeroBased(day)
    }
    guard take("/") else { return PosixZone.Day(kind: kind, second: 7200) }
    return offset().map { PosixZone.Day(kind: kind, second: $0) }
  }
}
