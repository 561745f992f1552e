package import Core
import Synchronization

/// The warm workers of all programs.
package final class WorkerPools: Workers {
  private struct State {
    /// The pools of one program, of which the last is of its files as they are now.
    var pools: [WorkerProgram: [WorkerPool]] = [:]
    var isStopped = false
  }

  /// A worker that has had nothing to do for so long ends.
  package static let rest = Duration.seconds(120)

  private let state = Mutex(State())
  private let runner: SpawnerRunner
  private let rest: Duration

  package init(runner: SpawnerRunner, rest: Duration = WorkerPools.rest) {
    self.runner = runner
    self.rest = rest
  }

  package func call(_ call: WorkerCall) async throws -> ProgramResult { try await pool(of: call.program).call(call) }

  /// Lets all workers go that have nothing to do, and returns when they are gone, or after a second.
  ///
  /// Whatever is still there ends with the runner. Later calls throw.
  package func stop() async {
    let pools = state.withLock { state in
      state.isStopped = true
      return state.pools.values.flatMap { $0 }
    }
    for pool in pools { pool.retire() }
    await Farewell.wait(for: pools, at: runner.reactor, limit: .seconds(1))
  }

  private func pool(of program: WorkerProgram) throws -> WorkerPool {
    var base = program
    base.files = ""
    let (pool, old) = try state.withLock { state -> (WorkerPool, [WorkerPool]) in
      if state.isStopped { throw RunnerStopped() }
      let pools = state.pools[base] ?? []
      // the newest is nearly always the one; calls that began with older files stay with those
      if let known = pools.last(where: { $0.program.files == program.files }) { return (known, []) }
      let pool = WorkerPool(program, rest: rest, runner: runner)
      state.pools[base] = pools.filter { !$0.isEmpty } + [pool]
      return (pool, pools)
    }
    for pool in old { pool.retire() }
    return pool
  }
}

/// Waits until the workers of some pools are gone, or a time is over.
private final class Farewell: Sendable {
  private struct State {
    var left: Int
    var continuation: CheckedContinuation<Void, Never>?
    var alarm: Reactor.Alarm?
  }

  private let state: Mutex<State>
  private let reactor: Reactor

  private init(count: Int, reactor: Reactor) {
    state = Mutex(State(left: count))
    self.reactor = reactor
  }

  static func wait(for pools: [WorkerPool], at reactor: Reactor, limit: Duration) async {
    if pools.isEmpty { return }
    let farewell = Farewell(count: pools.count, reactor: reactor)
    await withCheckedContinuation { continuation in
      let alarm = reactor.after(limit) { farewell.end() }
      farewell.state.withLock {
        $0.continuation = continuation
        $0.alarm = alarm
      }
      for pool in pools { pool.whenGone { farewell.oneIsGone() } }
    }
  }

  private func oneIsGone() {
    let isLast = state.withLock { state in
      state.left -= 1
      return state.left == 0
    }
    if isLast { end() }
  }

  private func end() {
    let (continuation, alarm) = state.withLock { state in
      defer { state.continuation = nil }
      return (state.continuation, state.alarm)
    }
    if let alarm { reactor.cancel(alarm) }
    continuation?.resume()
  }
}
