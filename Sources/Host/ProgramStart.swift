import Core
import Synchronization

/// How one program begins: at once, or held by its keeper until its permit is given.
final class ProgramStart: Sendable {
  private struct State {
    var alarm: Reactor.Alarm?
    var refusal: (any Error)?
    var isOver = false
  }

  private let state = Mutex(State())
  private let run: ProgramRun
  private let link: SpawnerLink
  private let timeout: Duration?
  private let reactor: Reactor

  init(_ run: ProgramRun, at link: SpawnerLink, timeout: Duration?, reactor: Reactor) {
    self.run = run
    self.link = link
    self.timeout = timeout
    self.reactor = reactor
  }

  /// Why the program was not to begin.
  var refusal: (any Error)? { state.withLock { $0.refusal } }

  /// Hands the program over; all errors are told to the run.
  func begin(_ order: SpawnOrder, when permit: Permit?) {
    let mustWait = permit.map { !$0.isGiven } ?? false
    do {
      try link.start(run, order, isHeld: mustWait)
      // one that cannot be heard is not let go on
      do { try run.watch() } catch { link.cancel(run.token) }
    } catch {
      return reactor.perform { [run] in run.lost(error) }
    }
    guard mustWait, let permit else { return hasBegun() }
    permit.whenKnown { [self] result in
      switch result {
      case .success:
        hasBegun()
        link.go(run.token)
      case .failure(let error):
        state.withLock { $0.refusal = error }
        link.cancel(run.token)
      }
    }
  }

  /// Its result is known.
  func forget() {
    let alarm = state.withLock { state in
      state.isOver = true
      return state.alarm
    }
    if let alarm { reactor.cancel(alarm) }
  }

  /// Whoever stopped its keeper and the spawner is not to escape its end.
  private func hasBegun() {
    guard let timeout else { return }
    state.withLock { state in
      guard !state.isOver else { return }
      state.alarm = reactor.after(timeout) { [link] in link.wake() }
    }
  }
}
