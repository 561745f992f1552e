package import Core
package import Foundation
import Store
import Synchronization

/// Keeps at most so many runs going, and knows which wait, run, and resume later.
package final class Dispatcher: Sendable {
  private struct State {
    var queue = RunQueue()
    var active: [RunID: Active] = [:]
    /// Runs at work of each pipeline.
    var busy: [String: Int] = [:]
    /// Runs that wait until an attempt of a limited stage leaves.
    var crowded: [(entry: RunQueue.Entry, key: Turnstile.Key, limit: Int)] = []
    var parked = Parking()
    /// Waiting runs that a person cancelled: their after-hooks are owed, whether a place is free or not.
    var cancelled: [(entry: RunQueue.Entry, cancellation: Cancellation)] = []
    /// Places promised to runs whose first attempt a claim records.
    var promised = 0
    var lookahead = Lookahead()
    var isDraining = false
    var hasFailed = false
    var hasEnded = false
    var ended: [RunState: Int] = [:]
    var waiters: [RunID: [CheckedContinuation<RunState?, Never>]] = [:]

    /// Runs that take a place.
    var placed: Int { active.count - lookahead.placeless }

    mutating func begin(_ entry: RunQueue.Entry, _ cancellation: Cancellation) {
      active[entry.id] = Active(cancellation: cancellation, pipeline: entry.pipeline)
      busy[entry.pipeline, default: 0] += 1
    }

    mutating func leave(_ id: RunID) {
      guard let left = active.removeValue(forKey: id), let count = busy[left.pipeline] else { return }
      busy[left.pipeline] = count > 1 ? count - 1 : nil
    }

    mutating func takeCrowded(_ id: RunID) -> RunQueue.Entry? {
      crowded.firstIndex { $0.entry.id == id }.map { crowded.remove(at: $0).entry }
    }
  }

  private struct Active {
    var cancellation: Cancellation
    var pipeline: String
  }

  private let bench: Workbench
  private let book: PipelineBook
  private let filer: Filer
  private let monotonic: @Sendable () -> Duration
  private let bell = Bell()
  /// Said when the agent ends now: heard also by hooks that a cancelled run still calls.
  private let shutdown = Cancellation()
  private let state = Mutex(State())
  /// Rung whenever a place or the whole queue became free.
  private let onProgress: @Sendable () -> Void

  package init(
    bench: Workbench, book: PipelineBook, filer: Filer, monotonic: @escaping @Sendable () -> Duration,
    onProgress: @escaping @Sendable () -> Void
  ) {
    self.bench = bench
    self.book = book
    self.filer = filer
    self.monotonic = monotonic
    self.onProgress = onProgress
    bench.turnstile.whenLeft { [bell] in bell.ring() }
  }

  // MARK: - What others ask

  /// Runs that are queued and not yet begun.
  package var backlog: Int { state.withLock { $0.queue.count } }

  /// Runs at work.
  var active: Int { state.withLock { $0.active.count } }

  /// Promises up to `wanted` free places; each must be used by `add` or given back.
  func reservePlaces(_ wanted: Int) -> Int {
    state.withLock { state in
      if state.isDraining { return 0 }
      let free =
        bench.settings.concurrency - state.placed - state.promised - state.queue.count - state.lookahead.count
      let granted = max(0, min(wanted, free))
      state.promised += granted
      return granted
    }
  }

  func giveBackPlaces(_ count: Int) {
    state.withLock { $0.promised -= count }
    bell.ring()
  }

  /// Queues a run; one with an opened attempt uses up a promised place.
  func add(_ run: Run, priority: Int, opened: Attempt? = nil) {
    state.withLock { $0.queue.add(RunQueue.Entry(run: run, priority: opened == nil ? priority : .max, opened: opened)) }
    bell.ring()
  }

  /// Takes a run that was quarantined with its claim: hooks are told of it in its turn, then its drop is filed.
  func takeQuarantined(_ run: Run) {
    let pipeline = book.pipelineInForce(of: run)
    let hooks = HookCaller(bench: bench, run: run, pipeline: pipeline, mask: SecretMask(values: []))
    if hooks.hasHooks(at: .onQuarantine), !isStopping {
      add(run, priority: 0)
    } else {
      finish(run, .quarantined, run.reason)
    }
  }

  func park(_ run: Run, until: Date?, isDeferred: Bool = false) {
    let (now, monotonic) = (bench.now(), monotonic())
    state.withLock { $0.parked.add(run, until: until, isDeferred: isDeferred, at: now, monotonic) }
    bell.ring()
  }

  /// The runs it has in hand.
  var known: Set<RunID> {
    state.withLock { state in
      Set(state.active.keys).union(state.parked.ids).union(state.queue.ids).union(state.crowded.map(\.entry.id))
    }
  }

  /// Whether nothing is queued, running, or resumes before `horizon`; what a hook deferred does not count.
  package func isIdle(before horizon: Date) -> Bool {
    state.withLock { state in
      state.active.isEmpty && state.queue.count == 0 && state.promised == 0 && state.crowded.isEmpty
        && !state.parked.resumes(before: horizon)
    }
  }

  /// How many runs ended in each state since the start.
  package var endings: [RunState: Int] { state.withLock { $0.ended } }

  /// Returns the state a run ended in; `nil` where this agent does not work it, or stops before.
  package func wait(for id: RunID) async -> RunState? {
    await withCheckedContinuation { continuation in
      let isKnown = state.withLock { state -> Bool in
        let isKnown =
          state.active[id] != nil || state.parked.contains(id) || state.queue.contains(id)
          || state.crowded.contains { $0.entry.id == id }
        guard !state.hasEnded, isKnown else { return false }
        state.waiters[id, default: []].append(continuation)
        return true
      }
      if !isKnown { continuation.resume(returning: nil) }
    }
  }

  /// Cancels a run that has not ended; false where this agent does not know it.
  package func cancel(_ id: RunID) async throws -> Bool {
    enum Found { case active(Cancellation), queued(RunQueue.Entry), unknown }
    let found = state.withLock { state -> Found in
      if let active = state.active[id] { return .active(active.cancellation) }
      let entry: RunQueue.Entry
      if state.queue.isEnded(id) { return .unknown }
      if let run = state.parked.take(id) {
        entry = RunQueue.Entry(run: run, priority: 0)
      } else if let crowded = state.takeCrowded(id) {
        entry = crowded
      } else if let queued = state.queue.remove(id) {
        if queued.standing == .fresh { return .queued(queued) }
        if queued.opened != nil { state.promised -= 1 }
        entry = queued
      } else {
        return .unknown
      }
      let cancellation = Cancellation()
      state.begin(entry, cancellation)
      state.cancelled.append((entry, cancellation))
      return .active(cancellation)
    }
    switch found {
    case .unknown: return false
    case .active(let cancellation): cancellation.cancel(.person)
    case .queued(let entry):
      let run = try await worker.run(of: entry)
      let ending = RunEnding(.cancelled, reason: "cancelled before it began")
      try await bench.store.end(run.id, ending, at: bench.now())
      finish(run, .cancelled, ending.reason)
    }
    bell.ring()
    return true
  }

  /// Takes out a run that waits for a person; `nil` where none such is known.
  func takeHeld(_ id: RunID) -> Run? {
    state.withLock { $0.parked.takeHeld(id) }
  }

  /// Begins nothing new, neither a run nor a stage; `now` ends what runs, to be taken up by the next agent.
  package func drain(now: Bool) {
    let active = state.withLock { state -> [Cancellation] in
      state.isDraining = true
      return state.active.values.map(\.cancellation)
    }
    for cancellation in active {
      cancellation.stopAtBoundary()
      if now { cancellation.cancel(.shutdown) }
    }
    if now { shutdown.cancel(.shutdown) }
    bell.ring()
  }

  // MARK: - The loop

  /// Works runs until drained.
  /// - Throws: what the store throws: then nothing can be recorded any more and the agent must stop.
  package func run() async throws {
    try await withThrowingDiscardingTaskGroup { group in
      while true {
        let (entries, wake) = takeStartable(at: bench.now())
        let next = takeForeseen()
        if !next.isEmpty {
          group.addTask { try await self.reporting { try await self.lookAhead(next) } }
        }
        for (entry, cancellation) in entries {
          group.addTask { try await self.reporting { try await self.work(entry, cancellation) } }
        }
        if isDrained { break }
        await bell.wait(atMost: wake, on: bench.clock)
        try Task.checkCancellation()
      }
    }
    let waiters = state.withLock { state in
      state.hasEnded = true
      defer { state.waiters = [:] }
      return state.waiters.values.flatMap { $0 }
    }
    for waiter in waiters { waiter.resume(returning: nil) }
  }

  /// Does a part of the loop's work; an error ends the loop.
  private func reporting(_ body: () async throws -> Void) async throws {
    do { try await body() } catch {
      // the group rethrows it when this loop has ended, and does not end the loop
      state.withLock { $0.hasFailed = true }
      bell.ring()
      throw error
    }
  }

  /// Whether nothing new is begun any more.
  var isStopping: Bool { state.withLock { $0.isDraining } }

  /// A promised place is waited for: its run begins on the record with its claim.
  private var isDrained: Bool {
    state.withLock { $0.hasFailed || $0.isDraining && $0.active.isEmpty && $0.promised == 0 }
  }

  private func takeStartable(at now: Date) -> ([(RunQueue.Entry, Cancellation)], wake: Duration?) {
    let monotonic = monotonic()
    return state.withLock { state in
      var entries = state.cancelled.map { ($0.entry, $0.cancellation) }
      state.cancelled = []
      if state.isDraining {
        while state.queue.hasOpened, let entry = state.queue.next() {
          state.promised -= 1
          let cancellation = Cancellation()
          cancellation.cancel(.shutdown)
          state.begin(entry, cancellation)
          entries.append((entry, cancellation))
        }
        // what is recorded as begun is recorded as interrupted
        while let next = state.lookahead.next() {
          next.cancellation.cancel(.shutdown)
          entries.append(next)
        }
        return (entries, nil)
      }
      for run in state.parked.takeDue(at: now, monotonic) {
        state.queue.add(RunQueue.Entry(run: run, priority: priority(of: run)))
      }
      requeueCrowded(&state)
      while state.placed + state.promised < bench.settings.concurrency || state.queue.hasOpened {
        if !state.queue.hasOpened, let next = state.lookahead.next() {
          entries.append(next)
          continue
        }
        let busy = state.busy
        guard let entry = state.queue.next(unless: { isFull($0, busy) }) else { break }
        if entry.opened != nil { state.promised -= 1 }
        let cancellation = Cancellation()
        state.begin(entry, cancellation)
        entries.append((entry, cancellation))
      }
      return (entries, state.parked.nextWait(at: now, monotonic).map { max(.milliseconds(1), $0) })
    }
  }

  /// Whether as many runs of a pipeline are at work as it allows.
  private func isFull(_ pipeline: String, _ busy: [String: Int]) -> Bool {
    guard let most = book.version(of: pipeline)?.pipeline.concurrency else { return false }
    return busy[pipeline, default: 0] >= most
  }

  /// One run for each stage that has room again, the oldest; another is let in when that one has had its turn.
  private func requeueCrowded(_ state: inout State) {
    var served: Set<Turnstile.Key> = []
    var left: [(entry: RunQueue.Entry, key: Turnstile.Key, limit: Int)] = []
    for waiting in state.crowded {
      if bench.turnstile.isOpen(waiting.key, limit: waiting.limit), served.insert(waiting.key).inserted {
        state.queue.add(waiting.entry)
      } else {
        left.append(waiting)
      }
    }
    state.crowded = left
  }

  private func takeForeseen() -> [Lookahead.Begun] {
    state.withLock { state in
      if state.isDraining { return [] }
      let taken = state.lookahead.take(from: &state.queue, places: bench.settings.concurrency) { pipeline in
        book.version(of: pipeline)?.pipeline.concurrency != nil
      }
      for next in taken { state.begin(next.entry, next.cancellation) }
      return taken
    }
  }

  private func lookAhead(_ taken: [Lookahead.Begun]) async throws {
    let recorded = try await Lookahead.record(taken, book: book, bench: bench)
    state.withLock { $0.lookahead.add(recorded) }
    bell.ring()
  }

  private var worker: RunWorker { RunWorker(bench: bench, book: book, shutdown: shutdown) }

  private func work(_ entry: RunQueue.Entry, _ cancellation: Cancellation) async throws {
    let (run, disposition) = try await worker.work(entry, cancellation, onLastProgram: place(of: entry.id))
    leave(run, disposition)
  }

  /// What gives the place of a run back while its end is being recorded.
  private func place(of run: RunID) -> @Sendable () -> Void {
    let start = ContinuousClock.now
    return { [self] in
      state.withLock { $0.lookahead.letGo(run, heldSince: start, now: ContinuousClock.now) }
      bell.ring()
    }
  }

  private func leave(_ run: Run, _ disposition: RunExecutor.Disposition) {
    let (now, monotonic) = (bench.now(), monotonic())
    state.withLock { state in
      state.leave(run.id)
      state.lookahead.leave(run.id, now: ContinuousClock.now)
      var begun = run
      // so that its after-hooks are owed whatever becomes of it
      begun.started = run.started ?? now
      // in one step, so that a cancel finds it here or there
      switch disposition {
      case .parked(let until, let isDeferred):
        state.parked.add(begun, until: until, isDeferred: isDeferred, at: now, monotonic)
      case .crowded(let key, let limit):
        state.crowded.append((RunQueue.Entry(run: begun, priority: priority(of: run)), key, limit))
      case .ended, .interrupted: break
      }
    }
    switch disposition {
    case .ended(let ended, let reason): finish(run, ended, reason)
    case .parked, .crowded, .interrupted: break
    }
    bell.ring()
    onProgress()
  }

  private func priority(of run: Run) -> Int { book.version(of: run.pipeline)?.pipeline.trigger.priority ?? 0 }

  private func finish(_ run: Run, _ ended: RunState, _ reason: String?) {
    let waiters = state.withLock { state in
      state.ended[ended, default: 0] += 1
      return state.waiters.removeValue(forKey: run.id) ?? []
    }
    filer.add(Filing(run, ended: ended, reason: reason))
    for waiter in waiters { waiter.resume(returning: ended) }
    onProgress()
  }
}
