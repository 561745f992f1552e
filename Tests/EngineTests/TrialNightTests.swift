import Core
import Foundation
import Testing
import Trials

@testable import Engine

/// When trials run by themselves, and what is known of costs before.
@Suite struct TrialNightTests {
  /// 2026-01-10 at this time, UTC.
  private func at(_ hour: Int, _ minute: Int, _ second: Int = 0) -> Date {
    Date(timeIntervalSince1970: 1_768_003_200 + Double(hour * 3600 + minute * 60 + second))
  }

  private func next(_ windows: [String: String], _ now: Date, served: [String: Date] = [:]) -> TrialNight? {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = .gmt
    return TrialNight.next(of: windows.compactMapValues { TrialWindow($0) }, served: served, at: now, calendar)
  }

  @Test func `the open window, or the one that opens next`() {
    #expect(next([:], at(2, 0)) == nil)
    let open = next(["p": "01:00-04:00"], at(2, 30, 30))
    #expect(open == TrialNight(pipeline: "p", wait: .zero, begin: at(1, 0), end: at(4, 0)))
    #expect(next(["p": "01:00-04:00"], at(0, 30, 15))?.wait == .seconds(29 * 60 + 45))
    // its end is no part of it
    #expect(next(["p": "01:00-04:00"], at(4, 0))?.wait == .seconds(21 * 3600))
    #expect(next(["p": "01:00-04:00", "q": "03:00-05:00"], at(0, 0))?.pipeline == "p")
    #expect(next(["p": "01:00-04:00", "q": "03:00-05:00"], at(4, 30))?.pipeline == "q")
  }

  @Test func `a window over midnight, and one of the whole day`() {
    #expect(
      next(["p": "22:00-02:00"], at(23, 0)) == TrialNight(pipeline: "p", wait: .zero, begin: at(22, 0), end: at(26, 0)))
    #expect(
      next(["p": "22:00-02:00"], at(1, 0)) == TrialNight(pipeline: "p", wait: .zero, begin: at(-2, 0), end: at(2, 0)))
    #expect(
      next(["p": "00:00-24:00"], at(7, 0)) == TrialNight(pipeline: "p", wait: .zero, begin: at(0, 0), end: at(24, 0)))
  }

  @Test func `a window that was served is not open any more, until it opens again`() {
    let served = ["p": at(4, 0)]
    #expect(next(["p": "01:00-04:00"], at(2, 0), served: served)?.wait == .seconds(23 * 3600))
    #expect(next(["p": "01:00-04:00", "q": "01:00-04:00"], at(2, 0), served: served)?.pipeline == "q")
    #expect(next(["p": "01:00-04:00"], at(25, 0), served: served)?.wait == .zero)
    // one that is to be asked again within the window
    #expect(next(["p": "01:00-04:00"], at(2, 0), served: ["p": at(3, 0)])?.wait == .seconds(3600))
    #expect(next(["p": "01:00-04:00"], at(3, 0), served: ["p": at(3, 0)])?.wait == .zero)
  }

  @Test func `an evaluation costs what the arm did before, else what the control did, else what is guessed`() {
    var costs = EvaluationCosts()
    #expect(costs.forecast(arm: 1, folds: 5) == nil)
    costs.guess = 3
    #expect(costs.forecast(arm: 1, folds: 5) == 15)
    costs.note(arm: 0, folds: 5, spent: 10)
    #expect(costs.forecast(arm: 1, folds: 5) == 10 && costs.forecast(arm: 0, folds: 1) == 2)
    costs.note(arm: 1, folds: 1, spent: 0.5)
    costs.note(arm: 1, folds: 5, spent: 1)
    #expect(costs.forecast(arm: 1, folds: 5) == 2.5)
  }

  private func step(_ state: Policy.State, _ source: Policy.Source, _ hours: Double) -> Policy {
    Policy(
      pipeline: "p", state: state, levels: [:], source: source, basis: StageBasis(["b": [:], "a": [:]]), reason: "",
      since: at(0, 0) + hours * 3600)
  }

  @Test func `runs went by a verdict until it was taken back, and not while a person had pinned something`() {
    let spans = NightLedger.spans(
      [
        step(.inForce, .trial(1), 1), step(.pinned, .person, 3), step(.unpinned, .person, 4),
        step(.inForce, .trial(2), 6), step(.demoted, .change, 8), step(.inForce, .trial(3), 9),
      ], until: at(10, 0))
    #expect(spans.map(\.trial) == [1, 1, 2, 3])
    #expect(
      spans.map { [$0.from, $0.to] } == [
        [at(1, 0), at(3, 0)], [at(4, 0), at(6, 0)], [at(6, 0), at(8, 0)], [at(9, 0), at(10, 0)],
      ])
    #expect(spans[0].stages == ["a", "b"])
    #expect(NightLedger.spans([], until: at(1, 0)).isEmpty)
  }
}
