import Core
import Synchronization

/// One program from its request to its result.
///
/// The result needs both the spawner's word and the end of the pipes. Whoever outside the tree still holds a pipe
/// is waited for no longer than `drain`.
final class ProgramRun: SpawnedProgram {
  typealias Completion = @Sendable (Result<SpawnerWire.Outcome, any Error>, ProgramOutput.Reply) -> Void

  private struct State {
    var completion: Completion?
    var outcome: SpawnerWire.Outcome?
    var outputHasEnded = false
    var drain: Reactor.Alarm?
  }

  static let drain = Duration.seconds(2)

  let token: UInt64
  private let state = Mutex(State())
  private let reactor: Reactor
  private let output: ProgramOutput

  init(token: UInt64, reactor: Reactor, output: ProgramOutput) {
    self.token = token
    self.reactor = reactor
    self.output = output
  }

  /// Before it is handed to the spawner; `completion` is called once, on the reactor's thread.
  func begin(completion: @escaping Completion) {
    state.withLock { $0.completion = completion }
    output.begin { [self] in
      state.withLock { $0.outputHasEnded = true }
      completeIfDone()
    }
  }

  /// Reads what it writes as it comes; best when it is under way, for it takes some time.
  func watch() throws { try output.watch() }

  func begun(process: Int32) {}

  /// The spawner has spoken; on the reactor's thread.
  func ended(_ outcome: SpawnerWire.Outcome) {
    state.withLock { $0.outcome = outcome }
    output.finish()
    if !state.withLock({ $0.outputHasEnded }) {
      let alarm = reactor.after(Self.drain) { [self] in output.close() }
      state.withLock { $0.drain = alarm }
    }
    completeIfDone()
  }

  /// It will never be known how it ended; on the reactor's thread.
  func lost(_ error: any Error) {
    let completion = state.withLock { state in
      defer { state.completion = nil }
      return state.completion
    }
    output.close()
    completion?(.failure(error), output.reply)
  }

  private func completeIfDone() {
    let done = state.withLock { state -> (Completion, SpawnerWire.Outcome, Reactor.Alarm?)? in
      guard state.outputHasEnded, let outcome = state.outcome, let completion = state.completion else {
        return nil
      }
      state.completion = nil
      return (completion, outcome, state.drain)
    }
    guard let (completion, outcome, drain) = done else { return }
    if let drain { reactor.cancel(drain) }
    completion(.success(outcome), output.reply)
  }
}
