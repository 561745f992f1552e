package import Foundation

/// What may be cleared away, by the settings and by how a run ended.
package struct RetentionRule: Sendable {
  private let retention: Settings.Retention
  private let now: Date
  /// Runs whose files later runs read, or people still look for.
  private let kept: Set<RunID>

  package init(_ retention: Settings.Retention, now: Date, keeping kept: Set<RunID>) {
    self.retention = retention
    self.now = now
    self.kept = kept
  }

  /// What ended before this may go; `nil` where nothing goes.
  package func cutoff(_ place: AtticPlace) -> Date? {
    let age =
      switch place {
      case .artifacts: retention.artifacts
      case .logs: retention.logs
      case .done: retention.done
      case .failed: retention.failed
      case .quarantine: retention.quarantine
      }
    return age.map { now - $0 / .seconds(1) }
  }

  /// - Parameter run: `nil` where nothing is remembered of it.
  package func mayGo(_ place: AtticPlace, of id: RunID, _ run: Run?) -> Bool {
    guard let cutoff = cutoff(place), !kept.contains(id) else { return false }
    guard let run else {
      // its row may just be on its way
      return id.time < min(cutoff, now - 86400)
    }
    guard run.state.isTerminal, run.filed || run.drop == nil, let ended = run.ended, ended < cutoff else {
      return false
    }
    return run.state != .quarantined || run.acknowledged != nil
  }
}

/// What was cleared away, or would be.
package struct Clearance: Sendable, Equatable {
  package struct Heap: Sendable, Equatable {
    package var count = 0
    package var bytes = 0

    package init(count: Int = 0, bytes: Int = 0) {
      self.count = count
      self.bytes = bytes
    }
  }

  /// Rows of the history.
  package var runs = 0
  package var places: [AtticPlace: Heap] = [:]
  package var litter: [Litter.Kind: Heap] = [:]
  /// What could not be removed, in words.
  package var troubles: [String] = []

  package init() {}

  package var count: Int { runs + (Array(places.values) + Array(litter.values)).reduce(0) { $0 + $1.count } }
  package var bytes: Int { (Array(places.values) + Array(litter.values)).reduce(0) { $0 + $1.bytes } }
}
