/// A cron expression of five fields, crontab(5): minute, hour, day of the month, month, weekday.
///
/// Where both day fields are restricted a day that either matches is meant; a field that begins with `*` restricts
/// nothing, so beside one both must match (Vixie cron, entry.c and cron.c).
package struct CronExpression: Sendable, Equatable {
  package let text: String
  package let minute, hour, day, month, weekday: CronField

  package struct Malformed: Error, Equatable {
    package let reason: String
    package let hint: String?
    /// Where in the text, in Unicode scalars from 0.
    package let column: Int
  }

  private static let nicknames = [
    "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
  ]

  package init(_ text: String) throws(Malformed) {
    self.text = text
    var fields = Self.fields(of: text)
    if let first = fields.first, first.text.hasPrefix("@") {
      fields = try Self.nickname(fields)
    }
    guard fields.count == 5 else {
      let hint =
        fields.count == 6
        ? "seconds are not supported: leave the first field out, or write `every:` for a period"
        : "minute, hour, day of the month, month, weekday: `30 2 * * *` is each day at 02:30"
      throw Malformed(
        reason: "a cron expression has five fields, this one has \(fields.count)", hint: hint,
        column: fields.count > 5 ? fields[5].column : fields.last.map { $0.column } ?? 0)
    }
    minute = try CronField(fields[0].text, .minute, column: fields[0].column)
    hour = try CronField(fields[1].text, .hour, column: fields[1].column)
    day = try CronField(fields[2].text, .day, column: fields[2].column)
    month = try CronField(fields[3].text, .month, column: fields[3].column)
    weekday = try CronField(fields[4].text, .weekday, column: fields[4].column)
    guard day.isStar || weekday.isStar,
      !(1...12).contains(where: { month.contains($0) && day.least <= CivilDay.mostDays(of: $0) })
    else { return }
    throw Malformed(
      reason: "it never comes: no month it names has a day \(day.least)",
      hint: "the last day of a month is not known to cron; the first is `1`", column: fields[2].column)
  }

  /// Whether its times are meant by themselves, such as 02:30.
  ///
  /// One that the clocks pass over is made up for, and one that they show twice counts once. All others go by real
  /// time.
  package var isFixed: Bool { !minute.isRecurring && !hour.isRecurring }

  /// - Parameter number: of the day, since 1970-01-01.
  func matches(day date: CivilDay, number: Int) -> Bool {
    guard month.contains(date.month) else { return false }
    let (byDay, byWeekday) = (day.contains(date.day), weekday.contains(CivilDay.weekday(of: number)))
    return day.isStar || weekday.isStar ? byDay && byWeekday : byDay || byWeekday
  }

  /// The first minute that is not before `local` and before `end`, in seconds since 1970 as a local clock counts
  /// them; `nil` where there is none.
  func first(from local: Int, before end: Int) -> Int? {
    let start = (local + 59).floored(by: 60)
    var number = start.floored(by: 1440)
    var minuteOfDay = start - number * 1440
    let last = end.floored(by: 86400)
    while number <= last {
      let date = CivilDay(number: number)
      if !month.contains(date.month) {
        number = CivilDay(year: date.year, month: date.month, day: 1).nextMonth.number
        minuteOfDay = 0
        continue
      }
      if matches(day: date, number: number), let found = time(from: minuteOfDay) {
        let moment = (number * 1440 + found) * 60
        return moment < end ? moment : nil
      }
      number += 1
      minuteOfDay = 0
    }
    return nil
  }

  /// The first minute of a day, not before `minuteOfDay`.
  private func time(from minuteOfDay: Int) -> Int? {
    guard var found = hour.next(from: minuteOfDay / 60) else { return nil }
    if found == minuteOfDay / 60 {
      if let rest = minute.next(from: minuteOfDay % 60) { return found * 60 + rest }
      guard let later = hour.next(from: found + 1) else { return nil }
      found = later
    }
    return found * 60 + minute.least
  }

  private static func fields(of text: String) -> [(text: Substring, column: Int)] {
    let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" }
    return text.split(whereSeparator: isSpace).map { field in
      (field, text.unicodeScalars.distance(from: text.startIndex, to: field.startIndex))
    }
  }

  private static func nickname(
    _ fields: [(text: Substring, column: Int)]
  ) throws(Malformed) -> [(text: Substring, column: Int)] {
    let word = fields[0].text.lowercased()
    if let known = nicknames[word], fields.count == 1 {
      return Self.fields(of: known).map { ($0.text, fields[0].column) }
    }
    var hint: String? = Nearest.hint(for: word, among: nicknames.keys.sorted(), called: "nicknames")
    if word == "@reboot" { hint = "nothing runs at the start of the agent; `on_config: true` runs new content once" }
    if nicknames[word] != nil { hint = "nothing stands beside a nickname" }
    throw Malformed(
      reason: "`\(Display.brief(fields.map { String($0.text) }.joined(separator: " ")))` is no nickname", hint: hint,
      column: fields[0].column)
  }
}

extension CronExpression: Codable {
  package init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    do { try self.init(text) } catch {
      throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: error.reason))
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }
}
