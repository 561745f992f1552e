import Core
import Synchronization

/// Counts the attempts at work: over all, for runs that would have several at once, and of stages that are limited.
package final class Turnstile: Sendable {
  /// A stage of a pipeline.
  struct Key: Hashable, Sendable {
    var pipeline: String
    var stage: String
  }

  private struct State {
    var inside = 0
    var limited: [Key: Int] = [:]
    /// Told of the next one that leaves, once.
    var waiting: [Bell] = []
    var onLeave: (@Sendable () -> Void)?
  }

  private let places: Int
  private let state = Mutex(State())

  /// - Parameter places: attempts at the same time, but that every run at work may have one.
  package init(places: Int) { self.places = places }

  /// Calls `listener` whenever an attempt of a limited stage has left.
  func whenLeft(_ listener: @escaping @Sendable () -> Void) { state.withLock { $0.onLeave = listener } }

  /// Lets an attempt in; it must `leave`.
  /// - Parameters:
  ///   - limit: of the stage; `nil` is none.
  ///   - isExtra: its run has another attempt at work.
  /// - Returns: false where it has to wait.
  func enter(_ key: Key, limit: Int?, isExtra: Bool) -> Bool {
    state.withLock { state in
      if isExtra, state.inside >= places { return false }
      if let limit, state.limited[key, default: 0] >= limit { return false }
      state.inside += 1
      if limit != nil { state.limited[key, default: 0] += 1 }
      return true
    }
  }

  /// Whether `enter` would let in an attempt of a run that has no other.
  func isOpen(_ key: Key, limit: Int?) -> Bool {
    guard let limit else { return true }
    return state.withLock { $0.limited[key, default: 0] < limit }
  }

  /// - Parameter limit: as it was for `enter`.
  func leave(_ key: Key, limit: Int?) {
    let (waiting, listener) = state.withLock { state -> ([Bell], (@Sendable () -> Void)?) in
      state.inside -= 1
      if limit != nil, let count = state.limited[key] { state.limited[key] = count > 1 ? count - 1 : nil }
      defer { state.waiting = [] }
      return (state.waiting, limit == nil ? nil : state.onLeave)
    }
    for bell in waiting { bell.ring() }
    listener?()
  }

  /// Rings a bell when the next attempt leaves.
  func tell(_ bell: Bell) { state.withLock { $0.waiting.append(bell) } }
}
