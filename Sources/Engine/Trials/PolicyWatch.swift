import Core
import Foundation
import Store
import Trials

/// What was seen of the arm in force since a verdict put it there: a fold over what is recorded.
struct PolicyWatch: Sendable {
  /// Runs that are looked at, the latest.
  private static let most = 10_000

  let trial: Trial
  let plan: RacePlan
  let policy: Policy
  private(set) var watch: Watch
  private(set) var lastFold: Date?

  /// - Returns: `nil` where no trial put anything in force, or it is known no more.
  init?(of pipeline: String, _ reader: StateReader) async throws {
    guard let policy = try await reader.policy(of: pipeline).verdict, policy.state == .inForce,
      case .trial(let number) = policy.source, let trial = try await reader.trial(number: number)
    else { return nil }
    self.policy = policy
    self.trial = trial
    plan = try trial.plan.decoded(as: RacePlan.self)
    watch = Watch(margin: plan.margin, kappa: plan.kappa)
    for event in try await Self.events(of: trial, since: policy.since, reader) {
      if case .fold = event.event { lastFold = event.at }
      watch.record(event.event)
    }
  }

  private struct Seen {
    var at: Date
    var event: Watch.Event
  }

  private static func events(of trial: Trial, since: Date, _ reader: StateReader) async throws -> [Seen] {
    let observed = try await reader.observations(of: trial.number)
    let controls = observed.filter { $0.arm == 0 }.compactMap(\.metric)
    let scale = Self.scale(trial.rules, controls)
    let scores = try await reader.scores(
      trial.rules.metric, by: trial.stage, of: trial.pipeline, since: since, limit: Self.most)
    var seen = NightScore.nights(of: scores.map { NightScore(at: $0.at, value: $0.value * scale) }, since: since)
      .map { Seen(at: $0.at, event: .night(score: $0.value)) }
    // older looks answered scores that are no longer looked at
    let first = scores.count < most ? since : scores.first?.at ?? since
    for look in try await reader.watches(of: trial.pipeline, since: first) {
      seen += Self.events(try await reader.observations(of: look.number))
    }
    return seen.sorted { $0.at < $1.at }
  }

  /// Turns the metric so that more is better, in the unit of the margin.
  private static func scale(_ rules: TrialRules, _ controls: [Double]) -> Double {
    let sign = rules.goal == .maximize ? 1.0 : -1.0
    let mean = controls.isEmpty ? 0 : abs(controls.reduce(0, +) / Double(controls.count))
    guard case .share = rules.margin, mean > 0 else { return sign }
    return sign / mean
  }

  /// Pairs of one look; a control that broke says nothing of the arm.
  private static func events(_ observations: [TrialObservation]) -> [Seen] {
    var controls: [String: Double] = [:]
    var seen: [Seen] = []
    for one in observations where one.state == .ok || one.state == .failed {
      if one.arm == 0 {
        controls[one.unit] = one.quality
      } else if let control = controls[one.unit], let unit = Trials.Unit(one.unit) {
        let difference = one.quality.map { $0 - control }
        let event: Watch.Event =
          switch unit {
          case .screen: .fold(difference: difference)
          case .block: .block(difference: difference)
          }
        seen.append(Seen(at: one.began, event: event))
      }
    }
    return seen
  }

  /// What is to be evaluated now; `nil` for nothing.
  func wants(at now: Date, blocks: Int) -> Trials.Unit? {
    switch watch.wish(nightsSinceFold: lastFold.map { now.timeIntervalSince($0) / NightScore.night }) {
    case .fold: .screen(fold: 1)
    case .block: .block(blocks + 1)
    case nil: nil
    }
  }

  mutating func record(_ unit: Trials.Unit, difference: Double?, at now: Date) {
    switch unit {
    case .screen:
      lastFold = now
      watch.record(.fold(difference: difference))
    case .block: watch.record(.block(difference: difference))
    }
  }
}
