import Core
import Synchronization

/// Lets attempts begin: as many of a stage as it allows, and more than one of a run only where a place is free.
package final class Turnstile: Sendable {
  /// A stage of a pipeline.
  struct Key: Hashable, Sendable {
    var pipeline: String
    var stage: String
  }

  /// Who counts the places of the agent.
  struct Places: Sendable {
    /// Takes one that is free.
    var take: @Sendable () -> Bool
    var giveBack: @Sendable () -> Void
  }

  private struct State {
    var inside: [Key: Int] = [:]
    /// Told of the next change, once.
    var waiting: [Bell] = []
    var places: Places?
    var onLeave: (@Sendable () -> Void)?
  }

  private let state = Mutex(State())

  package init() {}

  /// - Parameters:
  ///   - places: those of the agent; until it is told there are enough.
  ///   - onLeave: called whenever an attempt of a limited stage has left.
  func serve(_ places: Places, onLeave: @escaping @Sendable () -> Void) {
    state.withLock { ($0.places, $0.onLeave) = (places, onLeave) }
  }

  /// Lets an attempt in; it must `leave`.
  /// - Parameter limit: of the stage; `nil` is none.
  /// - Returns: false where it has to wait.
  func enter(_ key: Key, limit: Int?) -> Bool {
    guard let limit else { return true }
    return state.withLock { state in
      if state.inside[key, default: 0] >= limit { return false }
      state.inside[key, default: 0] += 1
      return true
    }
  }

  /// Whether `enter` would let an attempt in.
  func isOpen(_ key: Key, limit: Int?) -> Bool {
    guard let limit else { return true }
    return state.withLock { $0.inside[key, default: 0] < limit }
  }

  /// - Parameter limit: as it was for `enter`.
  func leave(_ key: Key, limit: Int?) {
    if limit == nil { return }
    let listener = state.withLock { state in
      state.inside[key] = state.inside[key].flatMap { $0 > 1 ? $0 - 1 : nil }
      return state.onLeave
    }
    ringWaiting()
    listener?()
  }

  /// Takes a place for one more attempt of a run that has one at work; it must be given back.
  func takePlace() -> Bool { state.withLock { $0.places }?.take() ?? true }

  func giveBackPlace() {
    state.withLock { $0.places }?.giveBack()
    ringWaiting()
  }

  /// Rings a bell at the next change.
  func tell(_ bell: Bell) { state.withLock { $0.waiting.append(bell) } }

  /// Something may begin that had to wait.
  func ringWaiting() {
    let waiting = state.withLock { state in
      defer { state.waiting = [] }
      return state.waiting
    }
    for bell in waiting { bell.ring() }
  }
}
