import Engine
import Foundation
import Testing

@Suite struct NightScoreTests {
  @Test func `the runs of a night count once, by their mean, however many they are`() {
    let since = Date(timeIntervalSince1970: 1_700_000_000)
    func run(_ hours: Double, _ value: Double) -> NightScore { NightScore(at: since + hours * 3600, value: value) }
    let nights = NightScore.nights(of: [run(1, 0.9), run(23.9, 0.8), run(24, 0.7), run(80, 0.5)], since: since)
    #expect(nights.map(\.at) == [run(1, 0).at, run(24, 0).at, run(80, 0).at])
    #expect(zip(nights, [0.85, 0.7, 0.5]).allSatisfy { abs($0.value - $1) < 1e-12 })
    #expect(NightScore.nights(of: [], since: since).isEmpty)
  }
}
