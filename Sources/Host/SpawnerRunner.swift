package import Core
import Glibc
import Synchronization

/// Runs programs through penstock-spawner, which ends every process they leave behind.
///
/// The spawner starts with the first program and starts anew after it died. The agent must ignore SIGPIPE for its
/// own sockets; nothing here raises it.
package final class SpawnerRunner: ProcessRunner {
  private struct State {
    var link: SpawnerLink?
    var nextToken: UInt64 = 1
    var isStopped = false
  }

  private let state = Mutex(State())
  private let spawner: String
  let reactor: Reactor
  private let lock: InstanceLock?
  private let groups: String?
  let memory = OutOfMemoryWitness()

  /// `spawner` is the path of the program `penstock-spawner`; `reactor` must outlive this runner.
  /// - Parameters:
  ///   - lock: held by the spawner and its keepers too, so that the next agent begins when the last program of this one
  ///     is gone.
  ///   - groups: the directory in which control groups may be made; see `ControlGroups`.
  package init(spawner: String, reactor: Reactor, lock: InstanceLock? = nil, groups: String? = nil) {
    self.spawner = spawner
    self.reactor = reactor
    self.lock = lock
    self.groups = groups
  }

  package func run(_ request: ProgramRequest) async throws -> ProgramResult {
    if let reason = request.unusable { return .unstarted(reason) }
    let link: SpawnerLink
    let token: UInt64
    let pipes: ProgramPipes
    do {
      pipes = try ProgramPipes(for: request)
      (link, token) = try claim()
    } catch let error as SystemError {
      return .unstarted("cannot start `\(Display.escaped(request.executable))`: \(error)", isShortage: error.isShortage)
    }
    let output = ProgramOutput(
      reactor: reactor, output: pipes.output, log: pipes.log, held: pipes.held, replyLimit: request.replyLimit,
      onLogLine: request.onLogLine)
    let run = ProgramRun(token: token, reactor: reactor, output: output)
    let start = ProgramStart(run, at: link, timeout: request.timeout, reactor: reactor)
    defer { start.forget() }
    var listening: Int?
    defer { if let listening { request.cancellation?.forget(listening) } }
    var result: ProgramResult
    do {
      result = try await withTaskCancellationHandler {
        try await withCheckedThrowingContinuation { continuation in
          run.begin { result, reply in
            continuation.resume(with: result.map { $0.result(of: request, reply: reply) })
          }
          start.begin(pipes.order, when: request.permit)
          // After the start, or the spawner would hear of it before it knows the token.
          listening = request.cancellation?.listen { [reactor] _ in
            reactor.perform { link.cancel(token) }
          }
          request.underWay?()
        }
      } onCancel: {
        reactor.perform { link.cancel(token) }
      }
    } catch { throw start.refusal ?? error }
    if let refusal = start.refusal { throw refusal }
    if result.ending == .itself, result.termination == .signaled(SIGKILL) { result.isOutOfMemory = memory.hasGrown() }
    return result
  }

  /// The process id of the spawner, `nil` while there is none.
  package var process: Int32? {
    state.withLock { state in
      guard let link = state.link, !link.hasEnded else { return nil }
      return link.process
    }
  }

  /// Ends the spawner and all programs; returns when they are gone.
  ///
  /// Runs that are under way throw, as do later ones.
  package func stop() async {
    let link = state.withLock { state in
      state.isStopped = true
      defer { state.link = nil }
      return state.link
    }
    guard let link else { return }
    await withCheckedContinuation { continuation in
      link.stop { continuation.resume() }
    }
  }

  /// A spawner that lives, and the token of the next program.
  func claim() throws -> (SpawnerLink, UInt64) {
    try state.withLock { state in
      if state.isStopped { throw RunnerStopped() }
      let link: SpawnerLink
      if let current = state.link, !current.hasEnded {
        link = current
      } else {
        do {
          link = try SpawnerLink(path: spawner, groups: groups, holding: lock?.fd, reactor: reactor)
        } catch let error as SystemError { throw error.isShortage ? error : SpawnerMissing(reason: error) }
        state.link = link
      }
      defer { state.nextToken += 1 }
      return (link, state.nextToken)
    }
  }
}

/// The runner was stopped before the program could begin.
package struct RunnerStopped: Error, CustomStringConvertible {
  package var description: String { "the agent is stopping and starts no further program" }
}

extension ProgramRequest {
  /// Why it cannot be told to the kernel at all, in words.
  var unusable: String? {
    if let text = textWithNUL {
      return "cannot start `\(Display.escaped(executable))`: `\(Display.escaped(text))` contains a NUL byte, "
        + "which no argument, path or environment variable may"
    }
    if arguments.isEmpty {
      return "cannot start `\(Display.escaped(executable))`: it has no arguments, not even its own name"
    }
    return nil
  }

  private var textWithNUL: String? {
    for text in [executable, directory, exitRecord ?? ""] where text.hasNUL { return text }
    for text in arguments where text.hasNUL { return text }
    for (name, value) in environment where name.hasNUL || value.hasNUL { return name.hasNUL ? name : value }
    return nil
  }
}

extension ProgramResult {
  static func unstarted(_ reason: String, isShortage: Bool = false) -> ProgramResult {
    ProgramResult(
      termination: .unstarted(reason), ending: .itself, usage: ResourceUsage(wall: 0, cpu: 0, peakRSS: nil),
      reply: [], replyIsCut: false, isShortage: isShortage)
  }
}

extension SpawnerWire.Outcome {
  func result(of request: ProgramRequest, reply: ProgramOutput.Reply) -> ProgramResult {
    let termination: Termination
    var isShortage = false
    var isLost = false
    switch self.termination {
    case .success(let known): termination = known
    case .failure(let failure):
      isShortage = failure.isShortage
      isLost = failure.step == .keeper
      termination = .unstarted(
        failure.words(
          executable: request.executable, directory: request.directory,
          evidence: LaunchFailure.Evidence(inspecting: request.executable)))
    }
    var result = ProgramResult(
      termination: termination, ending: ending, usage: usage, reply: reply.bytes, replyIsCut: reply.isCut,
      isShortage: isShortage)
    result.isLost = isLost
    return result
  }
}

/// The spawner cannot be started: no program can be, for now.
package struct SpawnerMissing: ProgramLost, CustomStringConvertible {
  let reason: SystemError

  package var description: String { "\(reason); put `penstock-spawner` back beside `penstock`" }
}

extension String {
  fileprivate var hasNUL: Bool {
    utf8.withContiguousStorageIfAvailable { bytes in
      bytes.baseAddress.map { memchr($0, 0, bytes.count) != nil } ?? false
    } ?? utf8.contains(0)
  }
}
