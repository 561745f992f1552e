import DequeModule
import HeapModule
import Synchronization

/// What waits before the lanes of a segment: items that come from outside, and items inside that wait for their next
/// stage.
///
/// Who offers more than it holds waits, and so does who takes what is not there. What is new goes first as long as not
/// too much is inside, then what is inside by its stage, the earliest first, and of those the one whose calls took the
/// longest so far, for its next may be long again: so that what is left at the end is short calls, which fill the lanes
/// evenly (Graham, Bounds on multiprocessing timing anomalies, 1969).
final class FlowQueue<Element: Sendable>: Sendable {
  private struct Taker {
    let most: Int
    let continuation: CheckedContinuation<[Element]?, Never>
  }

  private struct Waiting: Comparable {
    let element: Element
    let spent: Duration
    let serial: Int

    static func == (one: Self, other: Self) -> Bool { one.serial == other.serial }
    static func < (one: Self, other: Self) -> Bool { (one.spent, -one.serial) < (other.spent, -other.serial) }
  }

  private typealias Serving = (taker: Taker, elements: [Element]?)

  private struct State {
    var entry: Deque<Element> = []
    /// By stage.
    var inner: [Heap<Waiting>] = []
    var passed = 0
    /// Taken from `entry`, and not yet said to have left.
    var inside = 0
    var producers: Int
    var isClosed = false
    var takers: Deque<Taker> = []
    var givers: Deque<(element: Element, continuation: CheckedContinuation<Bool, Never>)> = []
  }

  private let state: Mutex<State>
  private let bound: Int
  private let window: Int

  /// - Parameters:
  ///   - bound: elements from outside that it holds; at least as many as are taken at once.
  ///   - window: elements inside, above which none is let in as long as others wait there.
  ///   - producers: who will say `finish`; after the last of them nothing comes from outside.
  init(bound: Int, window: Int = .max, producers: Int) {
    self.bound = bound
    self.window = window
    state = Mutex(State(producers: producers))
  }

  /// Returns when there was room; false where the queue is closed.
  func offer(_ element: Element) async -> Bool {
    await withCheckedContinuation { continuation in
      let (answer, ready) = state.withLock { state -> (Bool?, [Serving]) in
        if state.isClosed { return (false, []) }
        guard state.entry.count < bound else {
          state.givers.append((element, continuation))
          return (nil, [])
        }
        state.entry.append(element)
        return (true, serve(&state))
      }
      answerAll(ready)
      if let answer { continuation.resume(returning: answer) }
    }
  }

  /// The next elements, `most` of them unless no more are to come; `nil` at the end.
  func take(_ most: Int) async -> [Element]? {
    await withCheckedContinuation { continuation in
      let (ready, admitted) = state.withLock { state -> ([Serving], [CheckedContinuation<Bool, Never>]) in
        state.takers.append(Taker(most: most, continuation: continuation))
        var ready = serve(&state)
        let admitted = admit(&state)
        if !admitted.isEmpty { ready += serve(&state) }
        return (ready, admitted)
      }
      answerAll(ready)
      for giver in admitted { giver.resume(returning: true) }
    }
  }

  /// Puts back an element that is inside, to wait for its next stage.
  /// - Parameter spent: what its calls took so far.
  func pass(_ element: Element, stage: Int, spent: Duration = .zero) {
    answerAll(
      state.withLock { state in
        if state.isClosed { return [] }
        while state.inner.count <= stage { state.inner.append([]) }
        state.passed += 1
        state.inner[stage].insert(Waiting(element: element, spent: spent, serial: state.passed))
        return serve(&state)
      })
  }

  /// Says that elements are inside no longer.
  func leave(_ count: Int) {
    answerAll(
      state.withLock { state in
        state.inside -= count
        return serve(&state)
      })
  }

  /// Said by each producer once.
  func finish() {
    answerAll(
      state.withLock { state in
        state.producers -= 1
        return serve(&state)
      })
  }

  /// Drops what it holds, and turns everyone away.
  func close() {
    let (ready, givers) = state.withLock { state in
      state.isClosed = true
      state.entry = []
      state.inner = []
      let givers = Array(state.givers)
      state.givers = []
      return (serve(&state), givers)
    }
    answerAll(ready)
    for giver in givers { giver.continuation.resume(returning: false) }
  }

  private func answerAll(_ ready: [Serving]) {
    for (taker, elements) in ready { taker.continuation.resume(returning: elements) }
  }

  /// Takes what waiting takers can be given, the first first.
  private func serve(_ state: inout State) -> [Serving] {
    var ready: [Serving] = []
    while let taker = state.takers.first {
      if let elements = next(taker.most, &state) {
        ready.append((taker, elements))
      } else if state.isClosed || state.producers <= 0 && state.inside == 0 && state.entry.isEmpty {
        ready.append((taker, nil))
      } else {
        break
      }
      _ = state.takers.popFirst()
    }
    return ready
  }

  private func next(_ most: Int, _ state: inout State) -> [Element]? {
    let count = min(most, state.entry.count)
    if count > 0, count == most || state.producers <= 0, state.inside < window {
      state.inside += count
      return (0..<count).compactMap { _ in state.entry.popFirst() }
    }
    for stage in state.inner.indices {
      if let waiting = state.inner[stage].popMax() { return [waiting.element] }
    }
    return nil
  }

  /// Lets givers in as far as there is room.
  private func admit(_ state: inout State) -> [CheckedContinuation<Bool, Never>] {
    var admitted: [CheckedContinuation<Bool, Never>] = []
    while state.entry.count < bound, let giver = state.givers.popFirst() {
      state.entry.append(giver.element)
      admitted.append(giver.continuation)
    }
    return admitted
  }
}
