import Synchronization

/// Items between two parts of a flow: who offers more than it holds waits, and so does who takes what is not there.
final class FlowQueue<Element: Sendable>: Sendable {
  private struct Taker {
    let most: Int
    let continuation: CheckedContinuation<[Element]?, Never>
  }

  private struct State {
    var held: [Element] = []
    /// Of `held`, those already taken: they are removed now and then, many at once.
    var taken = 0
    var producers: Int
    var isClosed = false
    var takers: [Taker] = []
    var givers: [(element: Element, continuation: CheckedContinuation<Bool, Never>)] = []

    var count: Int { held.count - taken }

    /// Takes what waiting takers can be given, the first first.
    mutating func serve() -> [(Taker, [Element]?)] {
      var served: [(Taker, [Element]?)] = []
      while let taker = takers.first {
        guard isClosed || producers <= 0 || count >= taker.most else { break }
        let elements = Array(held[taken..<min(taken + taker.most, held.count)])
        taken += elements.count
        if taken > 64, taken * 2 > held.count {
          held.removeFirst(taken)
          taken = 0
        }
        takers.removeFirst()
        served.append((taker, elements.isEmpty ? nil : elements))
      }
      return served
    }

    /// Lets givers in as far as there is room.
    mutating func admit(upTo bound: Int) -> [CheckedContinuation<Bool, Never>] {
      var admitted: [CheckedContinuation<Bool, Never>] = []
      while count < bound, !givers.isEmpty {
        let giver = givers.removeFirst()
        held.append(giver.element)
        admitted.append(giver.continuation)
      }
      return admitted
    }
  }

  private let state: Mutex<State>
  private let bound: Int

  /// - Parameters:
  ///   - bound: elements it holds; at least as many as are taken at once.
  ///   - producers: who will say `finish`; after the last of them there is nothing more to come.
  init(bound: Int, producers: Int) {
    self.bound = bound
    state = Mutex(State(producers: producers))
  }

  /// Returns when there was room; false where the queue is closed.
  func offer(_ element: Element) async -> Bool {
    await withCheckedContinuation { continuation in
      let (answer, ready) = state.withLock { state -> (Bool?, [(Taker, [Element]?)]) in
        if state.isClosed { return (false, []) }
        guard state.count < bound else {
          state.givers.append((element, continuation))
          return (nil, [])
        }
        state.held.append(element)
        return (true, state.serve())
      }
      for (taker, elements) in ready { taker.continuation.resume(returning: elements) }
      if let answer { continuation.resume(returning: answer) }
    }
  }

  /// The next elements, `most` of them unless there are no more to come; `nil` at the end.
  func take(_ most: Int) async -> [Element]? {
    await withCheckedContinuation { continuation in
      let (ready, admitted) = state.withLock { state -> ([(Taker, [Element]?)], [CheckedContinuation<Bool, Never>]) in
        state.takers.append(Taker(most: most, continuation: continuation))
        var ready = state.serve()
        let admitted = state.admit(upTo: bound)
        if !admitted.isEmpty { ready += state.serve() }
        return (ready, admitted)
      }
      for (taker, elements) in ready { taker.continuation.resume(returning: elements) }
      for giver in admitted { giver.resume(returning: true) }
    }
  }

  /// Said by each producer once.
  func finish() {
    let ready = state.withLock { state in
      state.producers -= 1
      return state.serve()
    }
    for (taker, elements) in ready { taker.continuation.resume(returning: elements) }
  }

  /// Drops what it holds, and turns everyone away.
  func close() {
    let (takers, givers) = state.withLock { state in
      state.isClosed = true
      state.held = []
      state.taken = 0
      defer { (state.takers, state.givers) = ([], []) }
      return (state.takers, state.givers)
    }
    for taker in takers { taker.continuation.resume(returning: nil) }
    for giver in givers { giver.continuation.resume(returning: false) }
  }
}
