import Core
import Synchronization

/// What stages of arms have left, so that a prefix that arms share is computed once.
///
/// Of one trial and one process: after a restart it is computed again, and its directory made anew.
final class ArmMemory: Sendable {
  /// What one stage came to.
  struct Result: Sendable {
    var files: [Envelope.FilePart]
    var contextPatch: JSON
    var metrics: [String: JSON]
    /// Seconds, with nothing computed before.
    var cost: Double
    /// Why it failed; what it left is void then.
    var failure: String?
  }

  private struct State {
    var results: [String: Result] = [:]
    /// The one used longest ago first.
    var order: [String] = []
  }

  /// More than the stages of one evaluation in every fold.
  private let capacity: Int
  private let state = Mutex(State())

  init(capacity: Int = 400) { self.capacity = capacity }

  func result(_ key: String) -> Result? {
    state.withLock { state in
      guard let result = state.results[key] else { return nil }
      if let at = state.order.lastIndex(of: key) {
        state.order.remove(at: at)
        state.order.append(key)
      }
      return result
    }
  }

  /// - Returns: the keys that are forgotten for it.
  func put(_ result: Result, _ key: String) -> [String] {
    state.withLock { state in
      state.results[key] = result
      state.order.append(key)
      var gone: [String] = []
      while state.order.count > capacity {
        let oldest = state.order.removeFirst()
        state.results[oldest] = nil
        gone.append(oldest)
      }
      return gone
    }
  }
}
