import Core

extension WorkerPool {
  /// What a worker does; on the reactor's thread.
  func hear(_ news: WorkerProcess.News, of worker: Int) {
    switch news {
    case .begun(let process):
      act { state, _ in
        state.live[worker]?.gauge.begin(process: process)
        state.live[worker]?.gauge.allow(program.limits.cpuTime)
      }
    case .log(let line): take(line, of: worker)
    case .replies(let lines):
      act { state, turn in
        for line in lines where !WorkerLine.isBlank(line) { take(line, of: worker, &state, &turn) }
      }
    case .tooLong(let beginning):
      act { state, turn in
        guard state.crew.workers[worker]?.isEnding == false else { return }
        let orders = state.crew.spoiled(worker: worker, .cut, of: WorkerLine.id(of: beginning))
        carryOut(orders, nil, &state, &turn)
      }
    case .closed(let stream):
      act { state, turn in
        state.crew.closed(worker: worker, "the worker closed \(stream) before it answered", now: turn.now)
      }
    case .ended(.success(let outcome)):
      let word = WorkerWord(outcome, of: request, memory: runner.memory)
      act { state, turn in end(worker, word, &state, &turn) }
    case .ended(.failure(let error)): act { state, turn in end(worker, WorkerWord(lost: error), &state, &turn) }
    }
  }

  /// A line of stderr is for the call that has been in flight longest: of several nobody can tell whose it is.
  private func take(_ line: [UInt8], of worker: Int) {
    var call: WorkerCall?
    act { state, _ in call = state.crew.oldestCall(of: worker).flatMap { state.entries[$0]?.call } }
    call?.onLogLine(line)
  }

  private func take(_ reply: [UInt8], of worker: Int, _ state: inout State, _ turn: inout Turn) {
    state.live[worker]?.gauge.read(inFlight: state.crew.workers[worker]?.calls.count ?? 0, now: turn.now)
    let resident = state.live[worker]?.gauge.resident(now: turn.now)
    let id = WorkerLine.id(of: reply)
    if let id, let orders = state.crew.answered(worker: worker, id: id, resident: resident, now: turn.now) {
      let word = WorkerWord(answer: reply, share: state.live[worker]?.gauge.meter.share ?? 0)
      carryOut(orders, word, &state, &turn)
    } else if state.crew.workers[worker]?.isEnding == false {
      let finish = WorkerCrew.Finish.spoiled(Self.trouble(id: id), line: reply)
      carryOut(state.crew.spoiled(worker: worker, finish), nil, &state, &turn)
    }
  }

  private static func trouble(id: Int?) -> String {
    id.map { "has the id \($0), which is of no request in hand" }
      ?? "is no JSON object with the `id` of its request: a worker's stdout is for replies only"
  }
}
