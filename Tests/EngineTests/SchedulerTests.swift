import Core
import Foundation
import Store
import Synchronization
import Testing

@testable import Engine

/// Slots through the real scheduler and store, on clocks that the test moves.
@Suite(.timeLimit(.minutes(2))) struct SchedulerTests {
  private func cron(
    _ text: String, _ zone: String = "UTC", missed: MissedRule = .once, grace: Duration? = nil,
    overlap: OverlapRule = .allow(nil)
  ) throws -> Schedule {
    Schedule(.cron(try CronExpression(text)), zone: zone, missed: missed, grace: grace, overlap: overlap)
  }

  @Test func `T01: a slot in the gap runs once at the first instant after it`() async throws {
    let place = try ScheduledPlace("2026-03-28T00:00:00Z")
    try await place.put([
      "p": try cron("15,45 2 * * *", "Europe/Berlin"), "q": try cron("*/15 2 * * *", "Europe/Berlin"),
    ])
    try await place.run(place.scheduler(), until: "2026-03-30T12:00:00Z")
    #expect(
      try await place.fired(in: "Europe/Berlin") == [
        "03-28 02:15", "03-28 02:45", "03-29 03:00", "03-30 02:15", "03-30 02:45",
      ])
    // by real time: that hour does not come
    #expect(try await place.fired(of: "q", in: "Europe/Berlin").filter { $0.hasPrefix("03-29") }.isEmpty)
  }

  @Test func `T02: in an overlap a fixed time runs once, the first time, and steps go by real time`() async throws {
    let place = try ScheduledPlace("2026-10-25T00:00:00+02:00")
    try await place.put([
      "p": try cron("30 2 * * *", "Europe/Berlin"), "q": try cron("*/30 2 * * *", "Europe/Berlin"),
      "r": try cron("@hourly", "Europe/Berlin"),
    ])
    try await place.run(place.scheduler(), until: "2026-10-25T23:30:00+01:00")
    #expect(try await place.slots() == ["10-25 00:30 fired"])
    #expect(try await place.fired(of: "q") == ["10-25 00:00", "10-25 00:30", "10-25 01:00", "10-25 01:30"])
    #expect(try await place.fired(of: "r").count == 24)
  }

  @Test(arguments: [
    // 12:56 at once: three slots were passed over, and one run stands for them
    (2400, "05-01T13:20", ["12:00", "12:15", "12:45", "13:00", "13:15"]),
    // 11:36: the slots that come again had their runs
    (-2400, "05-01T12:35", ["12:00", "12:15", "12:30"]),
    (5 * 3600, "05-01T17:50", ["12:00", "12:15", "17:30", "17:45"]),
    (-5 * 3600, "05-01T07:50", ["07:30", "07:45", "12:00", "12:15"]),
  ])
  func `T03: a clock that is set runs what a short jump passed over, and no slot twice`(
    jump: Int, end: String, expected: [String]
  ) async throws {
    let place = try ScheduledPlace("2026-05-01T11:59:00Z")
    try await place.put(["p": try cron("*/15 * * * *")])
    let scheduler = place.scheduler()
    try await place.run(scheduler, until: "2026-05-01T12:16:00Z")
    place.set(.seconds(jump))
    try await place.run(scheduler, until: "2026-\(end):00Z")
    let fired = try await place.fired()
    #expect(fired == expected.map { "05-01 " + $0 })
    #expect(place.begun.withLock { $0.count } == fired.count)
    #expect(try await place.slots().contains("05-01 12:45 fired +1") == (jump == 2400))
    let corrections = place.news.withLock { $0.filter { if case .clockCorrected = $0 { true } else { false } }.count }
    #expect(corrections == (abs(jump) > 3 * 3600 ? 1 : 0))
  }

  @Test func `T03: a machine that begins in 1970 runs nothing of the years between when its clock is set`() async throws
  {
    let place = try ScheduledPlace("2026-05-01T00:00:00Z")
    try await place.put(["p": try cron("0 * * * *")])
    try await place.run(place.scheduler(), until: "2026-05-01T02:30:00Z")
    place.clocks.withLock { $0 = .init(wall: Date(timeIntervalSince1970: 7000), boot: .seconds(3)) }
    let scheduler = place.scheduler()
    try await place.run(scheduler, until: "1970-01-01T01:58:00Z")
    place.set(.seconds(Int(try ScheduledPlace.date("2026-05-01T04:30:00Z").timeIntervalSince1970) - 7000))
    try await place.run(scheduler, until: "2026-05-01T05:30:00Z")
    #expect(try await place.fired() == ["05-01 01:00", "05-01 02:00", "05-01 05:00"])
  }

  @Test(
    arguments: [
      (MissedRule.once, nil, ["05-11 02:30 fired +9"]),
      (.once, Duration.seconds(7 * 3600), ["05-11 02:30 fired +9"]),
      (.once, Duration.seconds(6 * 3600), ["05-11 02:30 missed +10"]),
      (.skip, nil, ["05-11 02:30 missed +10"]),
      (.all(most: 3), nil, ["05-09 02:30 fired +7", "05-10 02:30 fired", "05-11 02:30 fired"]),
      (.all(most: 24), Duration.seconds(32 * 3600), ["05-10 02:30 fired +8", "05-11 02:30 fired"]),
    ] as [(MissedRule, Duration?, [String])])
  func `T04: an agent that was down for ten nights makes up for them as the schedule says`(
    rule: MissedRule, grace: Duration?, expected: [String]
  ) async throws {
    let place = try ScheduledPlace("2026-05-01T01:00:00Z")
    try await place.put(["p": try cron("30 2 * * *", missed: rule, grace: grace)])
    try await place.run(place.scheduler(), until: "2026-05-01T03:00:00Z")
    place.pass(.seconds(10 * 86400 + 6 * 3600))
    let scheduler = place.scheduler()
    _ = try await scheduler.look()
    #expect(try await place.slots() == ["05-01 02:30 fired"] + expected)
    // said once
    _ = try await scheduler.look()
    _ = try await place.scheduler().look()
    #expect(try await place.slots().count == 1 + expected.count)
    try await place.run(scheduler, until: "2026-05-12T03:00:00Z")
    #expect(try await place.slots().last == "05-12 02:30 fired")
  }

  @Test func `T04: a machine that slept eight hours is no clock that was set`() async throws {
    let place = try ScheduledPlace("2026-05-01T21:50:00Z")
    try await place.put(["p": try cron("0 * * * *")])
    let scheduler = place.scheduler()
    try await place.run(scheduler, until: "2026-05-01T22:05:00Z")
    place.pass(.seconds(8 * 3600))
    _ = try await scheduler.look()
    #expect(try await place.slots() == ["05-01 22:00 fired", "05-02 06:00 fired +7"])
  }

  @Test(
    arguments: [
      (OverlapRule.queueOne, ["fired", "queued", "skipped"], ["fired", "fired", "skipped"]),
      (.skip, ["fired", "skipped", "skipped"], ["fired", "skipped", "skipped"]),
      (.allow(2), ["fired", "fired", "skipped"], ["fired", "fired", "skipped"]),
      (.allow(nil), ["fired", "fired", "fired"], ["fired", "fired", "fired"]),
    ] as [(OverlapRule, [String], [String])])
  func `T05: a slot whose pipeline is still at work does what its rule says`(
    rule: OverlapRule, before: [String], after: [String]
  ) async throws {
    let place = try ScheduledPlace("2026-05-01T12:00:00Z")
    try await place.put(["p": Schedule(.every(600), overlap: rule)])
    let scheduler = place.scheduler()
    try await place.run(scheduler, until: "2026-05-01T12:35:00Z")
    #expect(try await place.slots() == zip(["10", "20", "30"], before).map { "05-01 12:\($0) \($1)" })
    try await place.endRuns()
    _ = try await scheduler.look()
    #expect(try await place.slots() == zip(["10", "20", "30"], after).map { "05-01 12:\($0) \($1)" })
    #expect(place.begun.withLock { $0.count } == after.count { $0 == "fired" })
  }

  @Test func `T05: slots that are made up for wait for one another, also over a restart`() async throws {
    let place = try ScheduledPlace("2026-05-01T12:00:00Z")
    try await place.put(["p": Schedule(.every(600), missed: .all(most: 3), overlap: .skip)])
    try await place.run(place.scheduler(), until: "2026-05-01T12:01:00Z")
    place.pass(.seconds(3100))
    _ = try await place.scheduler().look()
    #expect(try await place.slots().map { $0.dropFirst(6) } == ["12:30 fired +2", "12:40 queued", "12:50 queued"])
    try await place.endRuns()
    _ = try await place.scheduler().look()
    #expect(try await place.slots().map { $0.dropFirst(6) } == ["12:30 fired +2", "12:40 fired", "12:50 queued"])
  }

  @Test func `T07: a slot that was decided does not begin a run again, whatever was remembered of its schedule`()
    async throws
  {
    let place = try ScheduledPlace("2026-05-01T01:00:00Z")
    try await place.put(["p": try cron("30 2 * * *")])
    try await place.run(place.scheduler(), until: "2026-05-01T02:31:00Z")
    let mark = ScheduleMark(
      pipeline: "p", content: "30 2 * * * UTC", seen: try ScheduledPlace.date("2026-05-01T02:00:00Z"))
    _ = try await place.store.record([], marks: [mark])
    _ = try await place.scheduler().look()
    #expect(place.begun.withLock { $0.count } == 1)
    #expect(try await place.store.reader.runs(limit: 9).count == 1)
  }

  @Test func `T08: hundreds of schedules at midnight are all queued at once`() async throws {
    let place = try ScheduledPlace("2026-05-01T23:59:00Z")
    let schedule = try cron("0 0 * * *")
    try await place.put(Dictionary(uniqueKeysWithValues: (0..<600).map { ("p\($0)", schedule) }))
    let scheduler = place.scheduler()
    _ = try await scheduler.look()
    let before = place.store.commits
    place.pass(.seconds(60))
    _ = try await scheduler.look()
    #expect(place.begun.withLock { Set($0.map(\.pipeline)).count } == 600)
    #expect(place.store.commits - before == 2)
  }

  @Test func `T08: with spread each pipeline has its own moment, the same each night`() async throws {
    let place = try ScheduledPlace("2026-05-01T23:00:00Z")
    var schedule = try cron("0 0 * * *")
    schedule.spread = .seconds(600)
    try await place.put(Dictionary(uniqueKeysWithValues: (0..<40).map { ("p\($0)", schedule) }))
    try await place.run(place.scheduler(), until: "2026-05-03T01:00:00Z")
    let nights = Dictionary(grouping: place.begun.withLock { $0 }, by: { $0.created < Self.secondNight })
    func moments(_ runs: [Run]?) -> [String: Int] {
      Dictionary((runs ?? []).map { ($0.pipeline, Int($0.created.timeIntervalSince1970) % 86400) }) { first, _ in first
      }
    }
    let (first, second) = (moments(nights[true]), moments(nights[false]))
    #expect(first.count == 40 && first == second)
    #expect(Set(first.values).count > 30 && first.values.allSatisfy { $0 < 600 })
    #expect(try await place.slots(of: "p0") == ["05-02 00:00 fired", "05-03 00:00 fired"])
  }

  private static let secondNight = Date(timeIntervalSince1970: 1_777_766_400 - 3600)

  @Test func `a schedule that is new, changed or resumed has missed nothing`() async throws {
    let place = try ScheduledPlace("2026-05-01T12:00:00Z")
    try await place.put(["p": try cron("0 * * * *")])
    try await place.run(place.scheduler(), until: "2026-05-01T12:10:00Z")
    #expect(try await place.slots().isEmpty)
    // another expression, found by an agent hours later
    place.pass(.seconds(5 * 3600))
    try await place.put(["p": try cron("30 * * * *")])
    let scheduler = place.scheduler()
    _ = try await scheduler.look()
    #expect(try await place.slots().isEmpty)
    try await scheduler.set("p", paused: true)
    try await place.run(scheduler, until: "2026-05-01T20:00:00Z")
    #expect(try await place.slots().isEmpty)
    // a pause outlives the agent
    try await place.run(place.scheduler(), until: "2026-05-01T21:00:00Z")
    #expect(try await place.slots().isEmpty)
    try await scheduler.set("p", paused: false)
    try await place.run(scheduler, until: "2026-05-01T21:40:00Z")
    #expect(try await place.slots() == ["05-01 21:30 fired"])
    // gone and back again
    try await place.put([:])
    scheduler.changed()
    _ = try await scheduler.look()
    place.pass(.seconds(7200))
    try await place.put(["p": try cron("30 * * * *")])
    scheduler.changed()
    _ = try await scheduler.look()
    #expect(try await place.slots() == ["05-01 21:30 fired"])
  }

  @Test func `a slot with nothing to run on says so, and the next one tries again`() async throws {
    let place = try ScheduledPlace("2026-05-01T12:00:00Z")
    try await place.put(["p": try cron("0 * * * *")], inbox: "*.csv")
    try await place.run(place.scheduler(), until: "2026-05-01T14:10:00Z")
    let slots = try await place.store.reader.slots(of: "p", limit: 9)
    #expect(slots.map(\.state) == [.skipped, .skipped])
    #expect(
      slots.first?.reason
        == "there is nothing to run on: no drop of pipeline `p` is done yet, and it has no `data.sources`")
  }
}
