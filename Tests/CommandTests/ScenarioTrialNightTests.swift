import Core
import Foundation
import Glibc
import Store
import TestSupport
import Testing

/// When trials run by themselves, and what they may use.
@Suite(.serialized, .timeLimit(.minutes(10))) struct ScenarioTrialNightTests: TrialScenario {
  @Test func `in its window a trial begins by itself, and not again on the same data`() async throws {
    let place = try await workspace(
      trials: "margin: 0.05, window: \"00:00-24:00\", share: 1000000%")
    try await drop(place)
    let agent = try await place.up()
    try await until("the trial to be decided; \(place.tail)") {
      let trials = try await place.reader { try await $0.trials() }
      return trials.first?.state.isTerminal ?? false
    }
    #expect(try await place.stop(agent).code == 0)
    let again = try await place.up()
    try place.drop("b.csv", "a,b\n1,2\n")
    try await place.ended(2)
    #expect(try await place.stop(again).code == 0)
    #expect(try await place.reader { try await $0.trials() }.filter { $0.origin != .watch }.count == 1)
  }

  @Test func `when its CPU time is used up a trial waits, and goes on when asked again`() async throws {
    let place = try await workspace()
    try await drop(place)
    let first = try await place.penstock("trials", "start", "p", "--wait", "--budget", "100ms", "--json")
    let paused = try JSON(parsing: Data(first.output.utf8))["trial"]
    #expect(first.code == 0 && paused?["paused"] == true, "\(first.complaints)")
    #expect(paused?["reason"]?.string?.contains("is used up; nothing is shown yet") == true)
    let second = try await place.penstock("trials", "start", "p", "--wait", "--json")
    #expect(try JSON(parsing: Data(second.output.utf8))["trial"]?["number"] == 1)
    expectWhole(try await trial(place).1)
  }

  @Test func `a night with too little CPU time for one fold says so, and trials and status say what there is`()
    async throws
  {
    let place = try await workspace(trials: "margin: 0.05, window: \"00:00-24:00\"")
    let fresh = try await place.penstock("trials").output
    #expect(fresh.contains("nights of  p  00:00-24:00, 0s of CPU time: 20% of the 0s that its runs used"), "\(fresh)")
    try await drop(place)
    let agent = try await place.up()
    try await place.waitForLog("no trial begins")
    let refused = try #require(place.logged("no trial begins").first?["reason"]?.string)
    #expect(refused.hasPrefix("one fold takes about ") && refused.contains("20% of the "), "\(refused)")
    #expect(refused.hasSuffix("`penstock trials start p` goes by `budget` alone"))
    #expect(try await place.stop(agent).code == 0)
    let told = try JSON(parsing: Data(try await place.penstock("trials", "--json").output.utf8))
    let night = try #require(told["nights"]?.array?.first)
    let production = try #require(night["production_s"]?.double)
    #expect(night["window"] == "00:00-24:00" && night["configured_s"] == 2400 && night["spent_s"] == 0)
    #expect(try production > 0 && abs(#require(night["budget_s"]?.double) - production / 5) < 1e-6)
    for page in [["trials"], ["status"]] {
      let output = try await place.start(page).end().output
      #expect(output.contains("nights of  p  00:00-24:00, "), "\(output)")
      #expect(output.contains("that its runs used in 28 days"), "\(output)")
    }
    // a person is not held to it, and what it takes is counted
    let ended = try await place.penstock("trials", "start", "p", "--wait", "--json")
    #expect(try JSON(parsing: Data(ended.output.utf8))["trial"]?["state"] == "promoted", "\(ended.complaints)")
    let after = try JSON(parsing: Data(try await place.penstock("status", "--json").output.utf8))["nights"]?.array?
      .first
    #expect(try #require(after?["spent_s"]?.double) > 0 && after?["budget_s"] == 0)
  }

  @Test func `a night that was refused is asked again when its pipeline says more`() async throws {
    let place = try await workspace(trials: "margin: 0.05, window: \"00:00-24:00\"")
    try await drop(place)
    let agent = try await place.up()
    try await place.waitForLog("no trial begins")
    let yaml = place.text("pipelines/p.yaml")
    try place.write(
      "pipelines/p.yaml", yaml.replacingOccurrences(of: "margin: 0.05", with: "margin: 0.05, share: 1000000%"))
    try await until("a trial; \(place.tail)") { try await place.reader { try await $0.trials() }.count == 1 }
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `what a pipeline says of window, budget and share may change without ending its trial`() async throws {
    let place = try await workspace()
    try await drop(place)
    _ = try await place.penstock("trials", "start", "p", "--wait", "--budget", "1ms")
    let yaml = place.text("pipelines/p.yaml")
    try place.write(
      "pipelines/p.yaml", yaml.replacingOccurrences(of: "folds: 2,", with: "folds: 2, budget: 30m, share: 50%,"))
    let second = try await place.penstock("trials", "start", "p", "--wait", "--budget", "1ms")
    #expect(
      second.output.contains("trial 1 of p is not decided yet: the CPU time of 1ms does not do for"), "\(second.output)"
    )
  }
}
