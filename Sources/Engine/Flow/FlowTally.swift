import Core
import Synchronization

/// What one stage of a flow has made of its items so far.
final class FlowTally: Sendable {
  struct Count: Sendable {
    var entered = 0
    var ok = 0
    var failed = 0
    var skipped = 0
    /// Of these, those that an earlier attempt did.
    var kept = 0
    var calls = 0
    /// Seconds of all calls.
    var cpu = 0.0
    /// Of the largest process of any call, bytes; `nil` where it cannot be known.
    var peakRSS: Int?
    /// The first of those that failed.
    var failures: [(id: String, reason: String)] = []
    /// What kind of failure the first of them was.
    var error: StageError?
    fileprivate var sums: [String: (sum: Double, count: Int)] = [:]
  }

  /// Failures that are kept in mind.
  private static let few = 20

  private let state = Mutex(Count())
  private let refused = Mutex<String?>(nil)

  var count: Count { state.withLock { $0 } }

  /// Why no call of the stage can succeed; `nil` where none such is known.
  var refusal: String? { refused.withLock { $0 } }

  func refuse(_ reason: String) { refused.withLock { $0 = $0 ?? reason } }

  func enter(_ items: Int) { state.withLock { $0.entered += items } }

  func keep(_ outcome: ItemOutcome) {
    state.withLock { count in
      count.entered += 1
      count.kept += 1
      if outcome.state == .ok { count.ok += 1 } else { count.skipped += 1 }
    }
  }

  func use(_ usage: ResourceUsage) {
    state.withLock { count in
      count.calls += 1
      count.cpu += usage.cpu
      if let peak = usage.peakRSS { count.peakRSS = max(count.peakRSS ?? 0, peak) }
    }
  }

  /// - Returns: whether it is one of the first that failed.
  func take(_ outcome: ItemOutcome, metrics: [String: JSON] = [:], error: StageError? = nil) -> Bool {
    state.withLock { count in
      switch outcome.state {
      case .ok: count.ok += 1
      case .skipped: count.skipped += 1
      case .failed:
        count.failed += 1
        count.error = count.error ?? error
        guard count.failures.count < Self.few else { return false }
        count.failures.append((outcome.id, outcome.reason ?? ""))
        return true
      }
      for (name, value) in metrics {
        guard let number = value.double else { continue }
        let (sum, known) = count.sums[name] ?? (0, 0)
        count.sums[name] = (sum + number, known + 1)
      }
      return false
    }
  }
}

extension FlowTally.Count {
  /// The metrics of the attempt: the mean of each number the replies gave, and the items themselves.
  var metrics: [String: JSON] {
    var metrics = sums.mapValues { JSON.number($0.sum / Double($0.count)) }
    metrics["items"] = .integer(entered)
    metrics["items_failed"] = .integer(failed)
    return metrics
  }

  /// Why the stage failed; `nil` where enough items came through.
  func complaint(_ each: Each) -> String? {
    ItemSuccess.complaint(entered: entered, failed: failed, minimum: each.minSuccess, first: failures)
  }
}
