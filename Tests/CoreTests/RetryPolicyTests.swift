import Core
import Testing

@Suite struct RetryPolicyTests {
  @Test func `the wait grows by the factor up to an hour`() {
    let policy = RetryPolicy(attempts: 9, backoff: .seconds(10), factor: 3, jitter: 0)
    var chance = Seeded(1)
    let waits = (1...8).map { policy.wait(after: $0, using: &chance) }
    #expect(waits == [10, 30, 90, 270, 810, 2430, 3600, 3600].map { .seconds($0) })
  }

  @Test func `chance adds or takes at most its share`() {
    let policy = RetryPolicy(attempts: 2, backoff: .seconds(10), factor: 2, jitter: 0.2)
    var chance = Seeded(2)
    let waits = (0..<500).map { _ in policy.wait(after: 1, using: &chance) / .seconds(1) }
    #expect(waits.allSatisfy { (8...12).contains($0) })
    #expect(waits.contains { $0 < 9 } && waits.contains { $0 > 11 })
  }

  @Test func `no number of tries makes the wait overflow`() {
    let policy = RetryPolicy(attempts: 100, backoff: .seconds(3600), factor: 100, jitter: 1)
    var chance = Seeded(3)
    for n in [0, 1, 100, 1_000_000] {
      let wait = policy.wait(after: n, using: &chance)
      #expect(wait >= .zero && wait <= .seconds(7200))
    }
  }
}
