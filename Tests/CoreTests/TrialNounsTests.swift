import Core
import Testing

@Suite struct TrialNounsTests {
  @Test(arguments: [
    ("01:00-04:00", 60, 240), ("22:30-02:00", 1350, 120), ("00:00-24:00", 0, 0), (" 9:05-10:00", 545, 600),
  ]) func `a window is two times of the day`(text: String, from: Int, to: Int) {
    #expect(TrialWindow(text) == TrialWindow(from: from, to: to))
  }

  @Test(arguments: [
    "", "1-4", "01:00", "25:00-26:00", "01:60-02:00", "01:00-01:00", "24:00-25:00", "1:5-2:0", "a:b-c:d",
  ])
  func `what is no window is refused`(text: String) { #expect(TrialWindow(text) == nil) }

  @Test func `a window over midnight is open on both sides of it`() {
    let night = TrialWindow(from: 1350, to: 120)
    #expect([1349, 1350, 1439, 0, 119, 120].map(night.contains) == [false, true, true, true, true, false])
    #expect(night.wait(at: 120) == 1230 && night.wait(at: 1349) == 1 && night.wait(at: 3) == 0)
    #expect(night.left(at: 1350) == 210 && night.left(at: 119) == 1 && night.left(at: 500) == 0)
    #expect(night.text == "22:30-02:00")
  }

  @Test func `a window of the whole day is always open`() throws {
    let day = try #require(TrialWindow("00:00-24:00"))
    #expect(stride(from: 0, to: 1440, by: 7).allSatisfy { day.contains(minute: $0) && day.left(at: $0) > 0 })
  }

  @Test(arguments: [
    ("accuracy", TrialRules.Goal.maximize), ("test_rmse", .minimize), ("log_loss", .minimize), ("logloss", .minimize),
    ("r2", .maximize), ("gloss", .maximize), ("mean error", .minimize),
  ]) func `errors and losses are to be small, all else large`(metric: String, goal: TrialRules.Goal) {
    #expect(TrialRules.Goal(metric: metric) == goal)
  }

  @Test func `seeds are functions of what they are for, and of its order`() {
    #expect(Split.seed(1, 2, 3) == Split.seed(1, 2, 3))
    let seeds = (0..<20_000).map { Split.seed(7, Split.part("block"), UInt64($0)) }
    #expect(Set(seeds).count > 19_950 && seeds.allSatisfy { (0..<1 << 31).contains($0) })
    #expect(Split.seed(1, 2) != Split.seed(2, 1) && Split.seed(1) != Split.seed(1, 0))
  }
}
