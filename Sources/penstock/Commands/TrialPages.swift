import Core
import Engine
import Foundation
import Trials

/// A list of trials.
struct TrialList: Answer {
  static let empty = "no trial was ever begun here; `penstock trials start PIPELINE` begins one"

  var trials: [Trial]
  var nights: [NightView]
  var isFiltered: Bool
  var now: Date

  func json() -> JSON {
    ["api": 1, "trials": .array(trials.map(TrialJSON.summary)), "nights": .array(nights.map(\.json))]
  }

  func lines(_ output: Output) -> [String] {
    let night = nights.isEmpty ? [] : [""] + NightView.table(nights).lines(output)
    if trials.isEmpty { return [isFiltered ? "no such trials; `penstock trials` lists all" : Self.empty] + night }
    var table = Table([
      .right("trial"), .giving("pipeline"), .left("state"), .left("began"), .giving("what is known"),
    ])
    let time = LocalTime(now: now)
    for trial in trials {
      table.add([
        .init("\(trial.number)", .strong), .init(Shown.words(trial.pipeline)), .init(trial.state.rawValue),
        .init(time.text(trial.created)), .init(Shown.words(trial.reason ?? "")),
      ])
    }
    return table.lines(output) + night
  }
}

/// One trial whole: its arms with what they cost and how good they are.
struct TrialPage: Answer {
  let trial: Trial
  let observations: [TrialObservation]
  let plan: RacePlan
  let standings: [Standing]
  let now: Date

  init(trial: Trial, observations: [TrialObservation], now: Date) throws {
    self.trial = trial
    self.observations = observations
    self.now = now
    plan = try trial.plan.decoded(as: RacePlan.self)
    standings = Race(plan, recorded: observations).standings
  }

  func json() -> JSON {
    let arms = standings.map { standing -> JSON in
      [
        "arm": .string(plan.arms[standing.arm].key), "state": .string(standing.state.rawValue),
        "blocks": .integer(standing.blocks), "mean": TrialJSON.figure(standing.mean),
        "low": TrialJSON.figure(standing.interval?.low),
        "high": TrialJSON.figure(standing.interval?.high), "e": TrialJSON.figure(standing.e),
        "threshold": TrialJSON.figure(standing.threshold),
        "cost": TrialJSON.figure(standing.cost), "cost_measured": .bool(standing.costIsMeasured),
        "reason": .string(standing.reason),
      ]
    }
    return TrialJSON.summary(trial).merging([
      "api": 1, "arms": .array(arms), "spent_s": TrialJSON.figure(spent),
      "observations": .array(
        observations.map { one in
          [
            "n": .integer(one.n), "arm": .string(plan.arms[one.arm].key), "unit": .string(one.unit),
            "state": .string(one.state.rawValue), "metric": TrialJSON.figure(one.metric),
            "cost_s": TrialJSON.figure(one.cost),
            "spent_s": TrialJSON.figure(one.spent), "reason": one.reason.map { .string($0) } ?? .null,
          ]
        }),
    ])
  }

  private var spent: Double { observations.reduce(0) { $0 + $1.spent } }

  func lines(_ output: Output) -> [String] {
    let rules = trial.rules
    let time = LocalTime(now: now)
    var lines = [
      "trial \(trial.number) of \(Shown.words(trial.pipeline)): \(trial.state.rawValue)",
      "  began \(time.text(trial.created))" + (trial.ended.map { ", ended \(time.text($0))" } ?? ""),
      "  data \(trial.data.drop.name.displayed), \(rules.metric) of stage \(trial.stage), may lose \(rules.margin.text) "
        + "at \(Int((rules.confidence * 100).rounded()))% confidence",
      "  \(plan.arms.count) arms, \(observations.filter { $0.state == .ok || $0.state == .failed }.count) evaluations, "
        + "\(Quantity.text(.seconds(spent))) of CPU time used",
      "  " + Shown.words(trial.reason ?? "nothing is known yet"), "",
    ]
    let shown = standings.filter { $0.blocks > 0 || $0.state != .untried }.sorted {
      ($0.blocks > 0 ? 0 : 1, $0.cost, $0.arm) < ($1.blocks > 0 ? 0 : 1, $1.cost, $1.arm)
    }
    let tried = shown.filter { $0.blocks > 0 && $0.arm != 0 }
    lines += tried.isEmpty ? ["no arm was confirmed in whole blocks yet"] : table(tried, output)
    let rest = standings.count - tried.count - 1
    if rest > 0 { lines.append("\(rest) more arms had no whole block") }
    return lines
  }

  /// With what a program said where the arm broke.
  private func why(_ standing: Standing) -> String {
    let said = observations.last { $0.arm == standing.arm && $0.reason != nil && $0.state != .interrupted }?.reason
    return standing.reason + (said.map { ": \($0)" } ?? "")
  }

  private func table(_ tried: [Standing], _ output: Output) -> [String] {
    let plot = IntervalPlot(tried.compactMap(\.interval), margin: -plan.margin)
    var table = Table([
      .giving("arm"), .left("state"), .right("blocks"), .right("cost"), .right("quality"), .left(plot.title),
      .giving("why"),
    ])
    for standing in tried {
      table.add([
        .init(TrialWords.arm(plan.arms[standing.arm])), .init(standing.state.rawValue), .init("\(standing.blocks)"),
        .init("\(Int((standing.cost * 100).rounded()))%"),
        .init(standing.mean.map { TrialWords.signed($0) } ?? ""),
        .init(standing.interval.map { plot.line($0, mean: standing.mean) } ?? ""), .init(Shown.words(why(standing))),
      ])
    }
    return table.lines(output) + [
      "",
      "cost is a share of full runs; quality is the mean difference to them, the bar where it lies whenever you look",
    ]
  }
}
