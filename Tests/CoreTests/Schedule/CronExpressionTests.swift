import Testing

@testable import Core

@Suite struct CronExpressionTests {
  private func field(_ text: String, _ kind: CronField.Kind) throws -> [Int] {
    let field = try CronField(text[...], kind, column: 0)
    return (0...63).filter { field.contains($0) }
  }

  @Test func `fields have numbers, names, ranges, lists and steps`() throws {
    #expect(try field("5,10-12", .minute) == [5, 10, 11, 12])
    #expect(try field("*/15", .minute) == [0, 15, 30, 45])
    #expect(try field("10-20/5", .minute) == [10, 15, 20])
    #expect(try field("JAN,mar-May", .month) == [1, 3, 4, 5])
    #expect(try field("sun,7", .weekday) == [0])
    #expect(try field("5-7", .weekday) == [0, 5, 6])
    #expect(try field("FRI-SUN", .weekday) == [0, 5, 6])
    #expect(try field("0-7", .weekday) == [0, 1, 2, 3, 4, 5, 6])
    #expect(try field("*", .day).count == 31)
  }

  @Test(arguments: [
    ("@daily", "0 0 * * *"), ("@midnight", "0 0 * * *"), ("@hourly", "0 * * * *"), ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"), ("@yearly", "0 0 1 1 *"), ("@Annually", "0 0 1 1 *"),
  ])
  func `a nickname is what crontab says`(nickname: String, meant: String) throws {
    let (short, long) = (try CronExpression(nickname), try CronExpression(meant))
    #expect(short.minute == long.minute && short.hour == long.hour && short.day == long.day)
    #expect(short.month == long.month && short.weekday == long.weekday)
  }

  @Test(arguments: [
    ("30 2 * * * *", 11, "a cron expression has five fields, this one has 6"),
    ("30 2 * *", 7, "a cron expression has five fields, this one has 4"),
    ("", 0, "a cron expression has five fields, this one has 0"),
    ("60 2 * * *", 0, "minute: 60 is not from 0 to 59"),
    ("0 24 * * *", 2, "hour: 24 is not from 0 to 23"),
    ("0 2 0 * *", 4, "day: 0 is not from 1 to 31"),
    ("0 2 * febr *", 6, "month: `febr` is no number"),
    ("0 2 * * 1,mo", 10, "weekday: `mo` is no number"),
    ("0 22-2 * * *", 2, "hour: `22-2` goes backwards"),
    ("*/0 * * * *", 0, "minute: `0` is no step in `*/0`"),
    ("*/90 * * * *", 0, "minute: a step of 90 is as long as the whole field"),
    ("5/15 * * * *", 0, "minute: `5/15` has a step and no range"),
    ("1,,2 * * * *", 2, "minute: a number is missing"),
    ("0 0 L * *", 4, "day: `L` is no number"),
    ("0 0 ? * *", 4, "day: `?` is no number"),
    ("0 0 * * 5#2", 8, "weekday: `5#2` is no number"),
    ("@reboot", 0, "`@reboot` is no nickname"),
    ("@daily 5", 0, "`@daily 5` is no nickname"),
    ("-1 0 * * *", 0, "minute: a number is missing in `-1`"),
    ("99999999999999999999 0 * * *", 0, "minute: `99999999999999999999` is no number"),
  ])
  func `what is wrong is told with its column`(text: String, column: Int, reason: String) throws {
    let error = #expect(throws: CronExpression.Malformed.self) { try CronExpression(text) }
    #expect(error?.reason == reason && error?.column == column)
  }

  @Test func `an advice says what to write`() {
    func hint(_ text: String) -> String? {
      do { _ = try CronExpression(text) } catch { return error.hint }
      return nil
    }
    #expect(hint("0 22-2 * * *") == "write `22-23,0-2`")
    #expect(hint("*/90 * * * *") == "for another period write `every: 90m` in place of `cron`")
    #expect(hint("5/15 * * * *") == "write `5-59/15`")
    #expect(hint("0 0 * * monn") == "did you mean `MON`?")
    #expect(hint("@dayly") == "did you mean `@daily`?")
  }

  @Test(arguments: [
    ("0 0 31 2 *", true), ("0 0 30 2 *", true), ("0 0 31 2,4,6,9,11 *", true), ("0 0 29 2 *", false),
    ("0 0 31 2 1", false), ("0 0 31 4,5 *", false), ("0 0 31 2 */2", true), ("0 0 */2 2 *", false),
  ])
  func `T06: an expression that never comes is refused`(text: String, isRefused: Bool) throws {
    var reason: String?
    do { _ = try CronExpression(text) } catch { reason = error.reason }
    #expect((reason != nil) == isRefused)
    if let reason { #expect(reason.hasPrefix("it never comes: no month it names has a day 3")) }
    if reason == nil { #expect(CronSlots(try CronExpression(text), in: .utc).next(after: 1_772_000_000) != nil) }
  }

  @Test func `both day fields restricted: either matches; beside a star both must`() throws {
    func days(_ text: String) throws -> [Int] {
      let slots = CronSlots(try CronExpression(text), in: .utc)
      var (found, moment) = ([Int](), CivilDay(year: 2026, month: 11, day: 1).number * 86400 - 1)
      while let next = slots.next(after: moment), next < CivilDay(year: 2026, month: 12, day: 1).number * 86400 {
        found.append(CivilDay(number: next / 86400).day)
        moment = next
      }
      return found
    }
    // 1 November 2026 is a Sunday
    #expect(try days("0 0 13 * 5") == [6, 13, 20, 27])
    #expect(try days("0 0 1,2 * 5") == [1, 2, 6, 13, 20, 27])
    #expect(try days("0 0 */10 * 0") == [1])
    #expect(try days("0 0 * * 0") == [1, 8, 15, 22, 29])
    #expect(try days("0 0 29-31 * *") == [29, 30])
  }
}
