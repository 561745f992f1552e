import Core
import Foundation

/// How long a run was at work: attempts at the same time count once, waiting between them not at all.
enum WorkedTime {
  static func of(_ attempts: [Attempt]) -> Duration {
    var total = 0.0
    var reached = Date.distantPast
    for attempt in attempts.sorted(by: { $0.started < $1.started }) {
      guard let ended = attempt.ended, ended > reached else { continue }
      total += ended.timeIntervalSince(max(attempt.started, reached))
      reached = ended
    }
    return .seconds(total)
  }
}
