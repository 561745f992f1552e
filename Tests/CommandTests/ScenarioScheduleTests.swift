import Core
import Foundation
import Glibc
import Store
import Testing

/// Pipelines that run by the clock, by the real program and the real clock.
@Suite(.serialized, .timeLimit(.minutes(3))) struct ScenarioScheduleTests {
  /// Every second, a program that writes down what it was given.
  private func ticking(_ place: ScenarioWorkspace, _ more: String = "") throws {
    try place.write(
      "pipelines/tick.yaml",
      """
      pipeline: { name: tick }
      trigger: { schedule: { every: 1s\(more) } }
      stages:
        - { name: a, run: [/bin/sh, -c, 'cat >> "$PENSTOCK_HOME/given"; echo >> "$PENSTOCK_HOME/given"'] }

      """)
  }

  private func slots(_ place: ScenarioWorkspace) async throws -> [Slot] {
    guard place.exists("var/state.db") else { return [] }
    return try await place.reader { try await $0.slots(of: "tick", limit: 1000) }
  }

  @Test func `T07: killed again and again, each slot has exactly one run`() async throws {
    let place = try ScenarioWorkspace()
    try ticking(place, ", missed: { all: 5 }, overlap: allow")
    for round in 1...5 {
      let agent = try await place.up()
      let before = try await slots(place).filter { $0.state == .fired }.count
      try await until("slot in round \(round); \(place.tail)") {
        try await slots(place).filter { $0.state == .fired }.count > before
      }
      agent.signal(SIGKILL)
      _ = try await agent.end()
    }
    let agent = try await place.up()
    try await until("the last run") { try await place.runs().allSatisfy { $0.state.isTerminal } }
    _ = try await place.stop(agent)
    let (fired, runs) = (try await slots(place).filter { $0.state == .fired }, try await place.runs())
    #expect(fired.count >= 5)
    #expect(Set(fired.map(\.due)) == Set(runs.compactMap(\.slot)) && runs.count == fired.count)
    #expect(Set(fired.compactMap(\.run)) == Set(runs.map(\.id)))
    #expect(runs.allSatisfy { $0.trigger == .slot })
  }

  @Test func `a slot begins a run that is told of it, a pause outlives the agent, and --once fires nothing`()
    async throws
  {
    let place = try ScenarioWorkspace()
    try ticking(place)
    var agent = try await place.up()
    let run = try #require(try await place.ended(1).first)
    let slot = try #require(run.slot)
    let given = try JSON(parsing: Array(place.text("given").split(separator: "\n")[0].utf8))
    #expect(given["run"]?["slot"]?.string.flatMap(Timestamp.date) == slot)
    #expect(slot.timeIntervalSince1970 == slot.timeIntervalSince1970.rounded())
    let status = try JSON(parsing: Array(try await place.penstock("status", "--json").output.utf8))
    let told = try #require(status["slots"]?.array?.first)
    #expect(told["pipeline"] == "tick" && told["schedule"] == "every 1s" && told["next"] != .null)
    #expect(try await place.penstock("schedule", "pause", "tick").output == "the schedule of tick is paused\n")
    #expect(try await place.penstock("schedule", "pause", "tock").code == 2)
    let paused = try await slots(place).count
    _ = try await place.stop(agent)
    // nothing comes while it is paused: two looks of an agent over more than a slot's time
    agent = try await place.up()
    try place.pipeline("p", stages: [("a", "sleep 1.2")])
    try place.drop("a.csv")
    try await until("the drop") { try await place.runs().contains { $0.pipeline == "p" && $0.state == .done } }
    #expect(try await slots(place).count == paused)
    _ = try await place.stop(agent)
    // without an agent
    #expect(try await place.penstock("schedule", "resume", "tick").code == 0)
    #expect(try await place.penstock("up", "--once").code == 0)
    #expect(try await slots(place).count == paused)
    agent = try await place.up()
    try await until("a slot after the pause") { try await slots(place).count > paused }
    // what passed meanwhile was missed: one run stands for it
    #expect(try await slots(place).dropLast(paused).last?.state == .fired)
    _ = try await place.stop(agent)
  }

  @Test func `a schedule that comes while the agent is at work is in force, and one that goes is not`() async throws {
    let place = try ScenarioWorkspace()
    let agent = try await place.up()
    try ticking(place)
    try await place.ended(2)
    try place.pipeline("tick", stages: [("a", "true")])
    try await place.waitForLog("pipeline changed; new runs use the new version")
    let known = try await slots(place).count
    try place.pipeline("p", inbox: "*.txt", stages: [("a", "sleep 2.2")])
    try place.drop("a.txt")
    try await until("the drop") { try await place.runs().contains { $0.pipeline == "p" && $0.state == .done } }
    // one may have been on its way when the file was read
    #expect(try await slots(place).count <= known + 1)
    #expect(try await place.penstock("schedule").output.contains("no pipeline runs by the clock"))
    _ = try await place.stop(agent)
  }

  @Test func `T05: a slot that waits begins when the run before it ends, and status tells of one that was skipped`()
    async throws
  {
    let place = try ScenarioWorkspace()
    try place.write(
      "pipelines/tick.yaml",
      """
      pipeline: { name: tick }
      trigger: { schedule: { every: 1s } }
      stages:
        - { name: a, run: [/bin/sh, -c, 'while [ ! -e "$PENSTOCK_HOME/go" ]; do sleep 0.05; done'] }

      """)
    let agent = try await place.up()
    try await until("a slot that is skipped") { try await slots(place).contains { $0.state == .skipped } }
    #expect(try await slots(place).reversed().prefix(3).map(\.state) == [.fired, .queued, .skipped])
    let status = try await place.penstock("status").output
    #expect(status.contains("an earlier slot is still at work and another one waits for its end"), "\(status)")
    #expect(try await place.penstock("schedule").output.contains("waits"))
    try place.write("go", "")
    try await place.ended(2)
    #expect(try await slots(place).reversed().prefix(3).map(\.state) == [.fired, .fired, .skipped])
    _ = try await place.stop(agent)
  }

  @Test func `T06: a schedule that never comes or has no zone is a load error with its place`() async throws {
    let place = try ScenarioWorkspace()
    func check(_ schedule: String) async throws -> String {
      try place.write(
        "pipelines/p.yaml",
        "pipeline: { name: p }\ntrigger:\n  schedule: \(schedule)\nstages: [ { name: a, run: [/bin/true] } ]\n")
      return try await place.penstock("check").output
    }
    let cases = [
      ("{ cron: \"0 0 31 2 *\" }", "3:26: error: `cron`: it never comes: no month it names has a day 31"),
      ("{ cron: 0 0 31 2 * }", "3:25: error: `cron`: it never comes"),
      ("{ cron: \"0 25 * * *\" }", "3:24: error: `cron`: hour: 25 is not from 0 to 23"),
      ("{ cron: \"@daily\", tz: Europe/Berlim }", "3:35: error: `tz`: no time zone is called `Europe/Berlim`"),
      ("{ cron: \"@daily\", tz: ../../etc/passwd }", "error: `tz`: no time zone is called `../../etc/passwd`"),
      ("{ cron: \"@daily\", every: 5m }", "`cron` and `every` stand beside each other"),
      ("{ every: 5m, tz: UTC }", "3:26: error: `tz` says nothing of `every`, which goes by real time"),
      ("{ cron: \"${file.hour} 2 * * *\" }", "error: `cron`: a schedule knows no `${file.hour}`"),
      ("{ missed: all }", "`schedule` says no time"),
      ("{ every: 90 }", "`every`: `90` has no unit"),
      (
        "{ every: 15m, spread: 16m }",
        "3:35: error: `spread`: `16m` is longer than the time from one slot to the next, which is as short as `15m`"
      ),
      ("{ cron: \"30 2,8 * * *\", spread: 400d }", "which is as short as `6h`"),
      ("{ cron: \"@yearly\", spread: 400d }", "which is as short as `365d`"),
      ("{ every: 1500ms }", "`every`: expected whole seconds"),
      ("{ every: 5m, missed: sometimes }", "`missed`: expected one of `once`, `all`, `skip`, got `sometimes`"),
      ("{ every: 5m, overlap: { allow: 0 } }", "`allow`: expected a whole number from 1 to 1000, got `0`"),
    ]
    for (schedule, said) in cases {
      let output = try await check(schedule)
      #expect(output.contains(said), "\(schedule): \(output)")
    }
    #expect(
      try await check("{ cron: \"0 0 29 2 *\", missed: { all: 3 }, overlap: { allow: 2 } }").contains(
        "nothing is wrong"))
  }

  @Test func `T06: schedule next previews the days on which the clocks are set`() async throws {
    let place = try ScenarioWorkspace()
    try place.write(
      "pipelines/p.yaml",
      "pipeline: { name: p }\ntrigger: { schedule: { cron: \"30 2 * * *\", tz: Europe/Berlin } }\n"
        + "stages: [ { name: a, run: [/bin/true] } ]\n")
    let spring = try await place.penstock("schedule", "next", "3", "--from", "2026-03-28T12:00:00Z").output
    #expect(spring.contains("2026-03-29 03:00+02:00"), "\(spring)")
    #expect(spring.contains("the clocks go from 02:00 to 03:00: made up for right after the gap"), "\(spring)")
    let autumn = try await place.penstock("schedule", "next", "2", "--json", "--from", "2026-10-24T12:00:00Z").output
    let slots = try #require(try JSON(parsing: Array(autumn.utf8))["slots"]?.array)
    #expect(slots.map { $0["due"]?.string } == ["2026-10-25T02:30:00.000+02:00", "2026-10-26T02:30:00.000+01:00"])
    #expect(slots.map { $0["dst"] } == ["first", .null])
    // RFC 3339 has four digits for a year
    let last = try await place.penstock("schedule", "next", "5", "--json", "--from", "9999-12-28T00:00:00Z").output
    let ends = try #require(try JSON(parsing: Array(last.utf8))["slots"]?.array).map { $0["due"]?.string }
    #expect(
      ends == [
        "9999-12-28T02:30:00.000+01:00", "9999-12-29T02:30:00.000+01:00", "9999-12-30T02:30:00.000+01:00",
      ])
    #expect(try await place.penstock("schedule", "next", "--from", "9999-12-31T23:00:00Z").code == 2)
  }
}
