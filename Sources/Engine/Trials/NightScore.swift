package import Foundation

/// What the arm in force scored in one night.
package struct NightScore: Sendable, Equatable {
  static let night: TimeInterval = 86400

  package var at: Date
  package var value: Double

  package init(at: Date, value: Double) {
    self.at = at
    self.value = value
  }

  /// One score a night, the mean of its runs, as of the first of them: so runs to come never move it behind a look.
  ///
  /// The watch counts nights: a pipeline that runs every hour would be doubted 24 times as often. A night ends at the time of
  /// day at which the arm came in force.
  package static func nights(of runs: [NightScore], since: Date) -> [NightScore] {
    Dictionary(grouping: runs) { ($0.at.timeIntervalSince(since) / night).rounded(.down) }.values
      .compactMap { runs in
        let mean = runs.reduce(0) { $0 + $1.value } / Double(runs.count)
        return runs.map(\.at).min().map { NightScore(at: $0, value: mean) }
      }
      .sorted { $0.at < $1.at }
  }
}
