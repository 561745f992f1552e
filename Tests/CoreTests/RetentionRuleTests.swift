import Core
import Foundation
import Testing

@Suite struct RetentionRuleTests {
  private static let now = Date(timeIntervalSince1970: 1_800_000_000)

  private func run(_ state: RunState, days: Double, filed: Bool = true, acknowledged: Bool = false) -> Run {
    var chance = Seeded(1)
    let ended = Self.now - days * 86400
    return Run(
      id: RunID(now: ended, using: &chance), pipeline: "p", version: nil, state: state, trigger: .drop,
      drop: Drop(name: FileName("a"), bytes: 1), created: ended, ended: state.isTerminal ? ended : nil, filed: filed,
      acknowledged: acknowledged ? Self.now : nil)
  }

  private func rule(keeping kept: Set<RunID> = []) -> RetentionRule {
    var retention = Settings.Retention()
    retention.quarantine = .seconds(86400)
    return RetentionRule(retention, now: Self.now, keeping: kept)
  }

  @Test func `what is old, ended and put away may go, and nothing else`() {
    let old = run(.done, days: 31)
    #expect(rule().mayGo(.artifacts, of: old.id, old))
    #expect(!rule(keeping: [old.id]).mayGo(.artifacts, of: old.id, old))
    for stays in [
      run(.done, days: 29), run(.running, days: 99), run(.waiting, days: 99), run(.done, days: 99, filed: false),
      run(.quarantined, days: 99),
    ] { #expect(!rule().mayGo(.artifacts, of: stays.id, stays), "\(stays.state)") }
    let seen = run(.quarantined, days: 2, acknowledged: true)
    #expect(rule().mayGo(.quarantine, of: seen.id, seen) && !rule().mayGo(.artifacts, of: seen.id, seen))
    #expect(!rule().mayGo(.done, of: old.id, old), "drops stay unless they are named")
  }

  @Test func `what nobody remembers goes when it is old, but never while its row may be on its way`() {
    let (old, new) = (run(.done, days: 31), run(.done, days: 0.5))
    #expect(rule().mayGo(.artifacts, of: old.id, nil) && !rule().mayGo(.artifacts, of: new.id, nil))
  }

  @Test func `an id tells when it was made`() {
    var chance = Seeded(3)
    let made = Date(timeIntervalSince1970: 1_763_640_000.123)
    #expect(abs(RunID(now: made, using: &chance).time.timeIntervalSince(made)) < 0.001)
  }
}
