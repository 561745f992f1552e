import Core
import Testing

/// What trials may use tonight: trials.md 3.
@Suite struct NightBudgetTests {
  private static let cases: [(NightBudget, Double, String)] = [
    // nothing ran yet: nothing is earned
    (
      NightBudget(configured: 2400, share: 0.2, production: 0), 0,
      "0s of CPU time: 20% of the 0s that its runs used in 28 days"
    ),
    (
      NightBudget(configured: 2400, share: 0.2, production: 1000), 200,
      "3m20s of CPU time: 20% of the 16m40s that its runs used in 28 days"
    ),
    (
      NightBudget(configured: 2400, share: 0.2, production: 1000, saved: 100, spent: 60), 190,
      "3m10s of CPU time: 20% of the 16m40s that its runs used in 28 days, and half of the 1m40s that verdicts saved, "
        + "less the 1m that trials used"
    ),
    (NightBudget(configured: 2400, share: 0.2, production: 1e6), 2400, "40m of CPU time: as `trials: { budget }` says"),
    (
      NightBudget(configured: 2400, share: 0.2, production: 1e6, spent: 600, tonight: 600), 1800,
      "30m of CPU time: as `trials: { budget }` says, less the 10m used since it began"
    ),
    // a debt is no budget
    (
      NightBudget(configured: 2400, share: 0.2, production: 1000, spent: 5000), 0,
      "0s of CPU time: 20% of the 16m40s that its runs used in 28 days, less the 1h23m that trials used"
    ),
    (
      NightBudget(configured: 60, share: 3, production: 10, saved: 10), 35,
      "35s of CPU time: 300% of the 10s that its runs used in 28 days, and half of the 10s that verdicts saved"
    ),
  ]

  @Test(arguments: cases.indices) func `at most what is configured, a share of what ran, and half of what was saved`(
    index: Int
  ) {
    let (budget, allowed, words) = Self.cases[index]
    #expect(abs(budget.allowed - allowed) < 1e-9)
    #expect(budget.words == words)
  }

  @Test func `too little for one fold is said in words, with what to do`() {
    let poor = NightBudget(configured: 2400, share: 0.2, production: 15)
    #expect(poor.shortage(fold: 3, of: "p") == nil)
    #expect(poor.shortage(fold: nil, of: "p") == nil)
    #expect(
      poor.shortage(fold: 12, of: "p")
        == "one fold takes about 12s, and tonight there are 3s of CPU time: 20% of the 15s that its runs used in 28 days; "
        + "`trials: { share }` allows more, and `penstock trials start p` goes by `budget` alone")
    let small = NightBudget(configured: 5, share: 0.2, production: 1e6)
    #expect(
      small.shortage(fold: 12, of: "p")
        == "one fold takes about 12s, and tonight there are 5s of CPU time: as `trials: { budget }` says; "
        + "`trials: { budget }` allows more")
    #expect(NightBudget(configured: 5, share: 1, production: 0).shortage(fold: nil, of: "p") != nil)
  }
}
