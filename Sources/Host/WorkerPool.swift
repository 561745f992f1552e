import Core
import Synchronization

/// The workers of one program at work: carries out what its crew orders.
final class WorkerPool: Sendable {
  typealias Answer = CheckedContinuation<ProgramResult, any Error>

  struct Entry {
    let call: WorkerCall
    let answer: Answer
    /// When it was given to a worker first, CLOCK_MONOTONIC in nanoseconds.
    var began: Int64?
    /// Of its worker's meter, when it was sent.
    var shareAtSend: Double = 0
    var listening: Int?
  }

  struct Live {
    var process: WorkerProcess?
    var gauge = WorkerGauge()
  }

  struct State {
    var crew: WorkerCrew
    var entries: [Int: Entry] = [:]
    var live: [Int: Live] = [:]
    var nextCall = 1
    var alarm: (due: Int64, Reactor.Alarm)?
    var onGone: (@Sendable () -> Void)?
  }

  /// What comes of one event.
  struct Turn {
    let now: Int64
    /// Given once the lock is let go of.
    var answers: [(Entry, Result<ProgramResult, any Error>)] = []
    var unstarted: [(worker: Int, any Error)] = []
  }

  let program: WorkerProgram
  let request: ProgramRequest
  private let state: Mutex<State>
  let runner: SpawnerRunner

  /// - Parameter rest: a worker that has had nothing to do for so long ends.
  init(_ program: WorkerProgram, rest: Duration, runner: SpawnerRunner) {
    self.program = program
    self.runner = runner
    state = Mutex(State(crew: WorkerCrew(rules: program.rules, grace: program.grace, rest: rest)))
    var limits = program.limits
    // that of a worker would be of all its calls together: each call is allowed it anew
    limits.cpuTime = nil
    request = ProgramRequest(
      executable: program.executable, arguments: program.arguments, environment: program.environment,
      directory: program.directory, grace: program.grace, limits: limits)
  }

  /// It has no workers and no calls.
  var isEmpty: Bool { state.withLock { $0.crew.isEmpty } }

  func call(_ call: WorkerCall) async throws -> ProgramResult {
    let key = state.withLock { state in
      defer { state.nextCall += 1 }
      return state.nextCall
    }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { answer in
        act { state, turn in
          state.entries[key] = Entry(call: call, answer: answer)
          carryOut(
            state.crew.enter(call: key, timeout: call.timeout?.nanoseconds, now: turn.now), nil, &state, &turn)
        }
        // after it came in, or the wish would be for a call nobody knows
        if Task.isCancelled { cancel(key) }
        if let cancellation = call.cancellation { listen(to: cancellation, key) }
      }
    } onCancel: {
      cancel(key)
    }
  }

  /// The program has changed, or the agent stops: workers end when they have nothing more to do.
  func retire() { act { state, turn in carryOut(state.crew.retire(now: turn.now), nil, &state, &turn) } }

  /// Calls `job` once when no worker is there any more.
  func whenGone(_ job: @escaping @Sendable () -> Void) { act { state, _ in state.onGone = job } }

  private func cancel(_ key: Int) {
    act { state, turn in carryOut(state.crew.cancel(call: key), WorkerWord.none, &state, &turn) }
  }

  private func listen(to cancellation: Cancellation, _ key: Int) {
    let listening = cancellation.listen { [self] _ in cancel(key) }
    let isOver = state.withLock { state in
      state.entries[key]?.listening = listening
      return state.entries[key] == nil
    }
    if isOver { cancellation.forget(listening) }
  }

  /// Lets the crew decide and carries it out; answers are given last.
  func act(_ decide: (inout State, inout Turn) -> Void) {
    let (answers, onGone) = state.withLock { state in
      var turn = Turn(now: Monotonic.now())
      decide(&state, &turn)
      while let (worker, error) = turn.unstarted.popLast() {
        end(worker, WorkerWord(unstarted: error, of: request), &state, &turn)
      }
      setAlarm(&state, turn.now)
      guard state.onGone != nil, state.live.isEmpty else { return (turn.answers, Optional<@Sendable () -> Void>.none) }
      defer { state.onGone = nil }
      return (turn.answers, state.onGone)
    }
    for (entry, result) in answers {
      if let listening = entry.listening { entry.call.cancellation?.forget(listening) }
      entry.answer.resume(with: result)
    }
    onGone?()
  }

  /// - Parameter word: what the calls that are finished are told.
  func carryOut(_ orders: [WorkerCrew.Order], _ word: WorkerWord?, _ state: inout State, _ turn: inout Turn) {
    for order in orders {
      switch order {
      case .start(let worker): start(worker, &state, &turn)
      case .send(let call, let id, let worker): send(call, as: id, to: worker, &state, turn.now)
      case .dismiss(let worker): state.live[worker]?.process?.closeInput()
      case .end(let worker): state.live[worker]?.process?.end()
      case .finish(let call, let finish):
        guard let entry = state.entries.removeValue(forKey: call) else { continue }
        let word = word ?? WorkerWord.none
        let usage = ResourceUsage(
          wall: Double(turn.now - (entry.began ?? turn.now)) / 1e9, cpu: max(0, word.share - entry.shareAtSend),
          peakRSS: nil)
        turn.answers.append((entry, word.result(of: finish, limit: entry.call.replyLimit, usage: usage)))
      }
    }
  }

  /// A worker and its tree are gone.
  func end(_ worker: Int, _ word: WorkerWord, _ state: inout State, _ turn: inout Turn) {
    guard var live = state.live.removeValue(forKey: worker) else { return }
    if let cpu = word.cpu { live.gauge.end(total: cpu, inFlight: state.crew.workers[worker]?.calls.count ?? 0) }
    var word = word
    word.share = live.gauge.meter.share
    carryOut(state.crew.ended(worker: worker, word.end, now: turn.now), word, &state, &turn)
  }

  private func start(_ worker: Int, _ state: inout State, _ turn: inout Turn) {
    state.live[worker] = Live()
    do {
      state.live[worker]?.process = try runner.startWorker(request) { [weak self] news in self?.hear(news, of: worker) }
    } catch { turn.unstarted.append((worker, error)) }
  }

  private func send(_ call: Int, as id: Int, to worker: Int, _ state: inout State, _ now: Int64) {
    let others = (state.crew.workers[worker]?.calls.count ?? 1) - 1
    state.live[worker]?.gauge.read(inFlight: others, now: now)
    state.live[worker]?.gauge.allow(program.limits.cpuTime)
    guard let entry = state.entries[call], let share = state.live[worker]?.gauge.meter.share else { return }
    if entry.began == nil { state.entries[call]?.began = now }
    state.entries[call]?.shareAtSend = share
    state.live[worker]?.process?.send(WorkerLine.request(entry.call.request, id: id))
  }

  private func setAlarm(_ state: inout State, _ now: Int64) {
    guard let due = state.crew.due else { return }
    if let alarm = state.alarm {
      if alarm.due <= due { return }
      runner.reactor.cancel(alarm.1)
    }
    let alarm = runner.reactor.after(.nanoseconds(max(0, due - now))) { [weak self] in self?.ring() }
    state.alarm = (due, alarm)
  }

  private func ring() {
    act { state, turn in
      state.alarm = nil
      carryOut(state.crew.tick(now: turn.now), nil, &state, &turn)
    }
  }
}
