package import Core
package import Foundation
import Store
import Synchronization

/// Keeps at most so many runs going, and knows which wait, run, and resume later.
package final class Dispatcher: Sendable {
  private let bench: Workbench
  private let book: PipelineBook
  private let filer: Filer
  private let monotonic: @Sendable () -> Duration
  private let bell = Bell()
  /// Said when the agent ends now: heard also by hooks that a cancelled run still calls.
  private let shutdown = Cancellation()
  private struct State {
    var board = DispatchBoard()
    var hasFailed = false
    var hasEnded = false
    var ended: [RunState: Int] = [:]
    var waiters: [RunID: [CheckedContinuation<RunState?, Never>]] = [:]
  }

  private let state = Mutex(State())
  /// Rung whenever a place or the whole queue became free.
  private let onProgress: @Sendable () -> Void
  /// Trials give way to what it works.
  package let courtesy = Courtesy()

  package init(
    bench: Workbench, book: PipelineBook, filer: Filer, monotonic: @escaping @Sendable () -> Duration,
    onProgress: @escaping @Sendable () -> Void
  ) {
    self.bench = bench
    self.book = book
    self.filer = filer
    self.monotonic = monotonic
    self.onProgress = onProgress
    let places = Turnstile.Places(
      take: { [weak self] in self?.takeExtra() ?? true }, giveBack: { [weak self] in self?.giveBackExtra() })
    bench.turnstile.serve(places) { [bell] in bell.ring() }
  }

  // MARK: - What others ask

  /// Runs that are queued and not yet begun.
  package var backlog: Int { state.withLock { $0.board.queue.count } }

  /// Runs at work.
  var active: Int { state.withLock { $0.board.atWork } }

  /// Promises up to `wanted` free places; each must be used by `add` or given back.
  func reservePlaces(_ wanted: Int) -> Int {
    state.withLock { state in
      if state.board.isDraining { return 0 }
      let granted = max(0, min(wanted, state.board.free(places: bench.settings.concurrency)))
      state.board.promised += granted
      return granted
    }
  }

  /// A place for one more attempt of a run that has its own; runs that wait go before.
  private func takeExtra() -> Bool {
    state.withLock { state in
      guard !state.board.isDraining, state.board.free(places: bench.settings.concurrency) > 0 else { return false }
      state.board.extras += 1
      return true
    }
  }

  private func giveBackExtra() {
    state.withLock { $0.board.extras -= 1 }
    bell.ring()
  }

  func giveBackPlaces(_ count: Int) {
    if count == 0 { return }
    state.withLock { $0.board.promised -= count }
    bell.ring()
  }

  /// Queues a run; one with an opened attempt uses up a promised place.
  func add(_ run: Run, priority: Int, opened: Attempt? = nil, recording: Permit? = nil) {
    let entry = RunQueue.Entry(
      run: run, priority: opened == nil ? priority : .max, opened: opened, recording: recording)
    state.withLock { $0.board.queue.add(entry) }
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
    state.withLock { $0.board.parked.add(run, until: until, isDeferred: isDeferred, at: now, monotonic) }
    bell.ring()
  }

  /// The runs it has in hand.
  var known: Set<RunID> { state.withLock { $0.board.known } }

  /// Whether nothing is queued, running, or resumes before `horizon`; what a hook deferred does not count.
  package func isIdle(before horizon: Date) -> Bool {
    state.withLock { $0.board.isQuiet && !$0.board.parked.resumes(before: horizon) }
  }

  /// How many runs ended in each state since the start.
  package var endings: [RunState: Int] { state.withLock { $0.ended } }

  /// Whether somebody waits for the end of a run.
  func isWaited(for id: RunID) -> Bool { state.withLock { $0.waiters[id]?.isEmpty == false } }

  /// Returns the state a run ended in; `nil` where this agent does not work it, or stops before.
  /// - Parameter waiter: the run whose hook or stage asks: its place goes to others meanwhile, or with one place the run
  ///   that is waited for would never begin.
  package func wait(for id: RunID, by waiter: RunID? = nil) async -> RunState? {
    let lends = state.withLock { state in
      guard let waiter, waiter != id else { return false }
      return state.board.lend(placeOf: waiter)
    }
    if lends { bell.ring() }
    defer { if lends, let waiter { takeBack(place: waiter) } }
    return await withCheckedContinuation { continuation in
      let isKnown = state.withLock { state -> Bool in
        guard !state.hasEnded, state.board.knows(id) else { return false }
        state.waiters[id, default: []].append(continuation)
        return true
      }
      if !isKnown { continuation.resume(returning: nil) }
    }
  }

  private func takeBack(place lender: RunID) {
    state.withLock { $0.board.takeBack(placeOf: lender) }
  }

  /// Cancels a run that has not ended; false where this agent does not know it.
  package func cancel(_ id: RunID) async throws -> Bool {
    enum Found { case active(Cancellation), queued(RunQueue.Entry), unknown }
    let found = state.withLock { state -> Found in
      if let cancellation = state.board.cancellation(of: id) { return .active(cancellation) }
      let entry: RunQueue.Entry
      if state.board.queue.isEnded(id) { return .unknown }
      if let run = state.board.parked.take(id) {
        entry = RunQueue.Entry(run: run, priority: 0)
      } else if let crowded = state.board.takeCrowded(id) {
        entry = crowded
      } else if let queued = state.board.queue.remove(id) {
        if queued.standing == .fresh { return .queued(queued) }
        if queued.opened != nil { state.board.promised -= 1 }
        entry = queued
      } else {
        return .unknown
      }
      let begun = state.board.begin(entry)
      state.board.cancelled.append(begun)
      return .active(begun.cancellation)
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

  /// Takes out a run that waits for a person or for a time; `nil` where none such is known.
  func takeParked(_ id: RunID) -> Run? {
    state.withLock { $0.board.parked.take(id) }
  }

  /// Begins nothing new, neither a run nor a stage; `now` ends what runs, to be taken up by the next agent.
  package func drain(now: Bool) {
    let active = state.withLock { state in
      state.board.isDraining = true
      return state.board.cancellations
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
    // however it ends: who waits for a run would wait for ever
    defer { letWaitersGo() }
    try await withThrowingDiscardingTaskGroup { group in
      while true {
        let (now, monotonic) = (bench.now(), monotonic())
        let (entries, wake) = state.withLock { $0.board.takeStartable(at: now, monotonic, limits) }
        let next = state.withLock { $0.board.takeForeseen(limits) }
        courtesy.note(isBusy: state.withLock { $0.board.isAtWork })
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
  }

  private func letWaitersGo() {
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
  var isStopping: Bool { state.withLock { $0.board.isDraining } }

  /// A promised place is waited for: its run begins on the record with its claim.
  private var isDrained: Bool {
    state.withLock { $0.hasFailed || $0.board.isDrained }
  }

  private var limits: DispatchBoard.Limits {
    DispatchBoard.Limits(
      places: bench.settings.concurrency,
      ofPipeline: { [book] in book.version(of: $0)?.pipeline.concurrency },
      isOpen: { [bench] in bench.turnstile.isOpen($0, limit: $1) }, priority: book.priority)
  }

  private func lookAhead(_ taken: [Lookahead.Begun]) async throws {
    let recorded = try await Lookahead.record(taken, book: book, bench: bench)
    state.withLock { $0.board.lookahead.add(recorded) }
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
      state.withLock { $0.board.lookahead.letGo(run, heldSince: start, now: ContinuousClock.now) }
      bell.ring()
    }
  }

  private func leave(_ run: Run, _ disposition: RunExecutor.Disposition) {
    let (now, monotonic) = (bench.now(), monotonic())
    state.withLock { state in
      state.board.leave(run.id)
      state.board.lookahead.leave(run.id, now: ContinuousClock.now)
      var begun = run
      // so that its after-hooks are owed whatever becomes of it
      begun.started = run.started ?? now
      // what a person let go on has gone on
      if begun.isUrged { begun.reason = nil }
      // in one step, so that a cancel finds it here or there
      switch disposition {
      case .parked(let until, let isDeferred):
        state.board.parked.add(begun, until: until, isDeferred: isDeferred, at: now, monotonic)
      case .crowded(let key, let limit, let until):
        let entry = RunQueue.Entry(run: begun, priority: book.priority(of: run))
        state.board.crowded.append(DispatchBoard.Crowded(entry: entry, key: key, limit: limit, until: until))
      case .ended, .interrupted: break
      }
    }
    switch disposition {
    case .ended(let ended, let reason): finish(run, ended, reason)
    case .parked, .crowded, .interrupted: break
    }
    bench.turnstile.ringWaiting()
    bell.ring()
    onProgress()
    // for the next drop; in a burst there is no time for it
    if state.withLock({ $0.board.isQuiet }) { bench.later { [bench] in bench.spool.foresee(.max) } }
  }

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
