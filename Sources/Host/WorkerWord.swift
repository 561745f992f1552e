import Core
import Glibc

/// What there is to tell the calls of one worker: its answer to one of them, or how it ended for all.
struct WorkerWord {
  private enum Kind {
    case answer([UInt8])
    case end(ProgramResult)
    case lost(any Error)
  }

  private let kind: Kind
  /// Of its meter, now.
  var share: Double = 0

  private init(kind: Kind) { self.kind = kind }

  init(answer: [UInt8], share: Double) {
    kind = .answer(answer)
    self.share = share
  }

  init(_ outcome: SpawnerWire.Outcome, of request: ProgramRequest, memory: OutOfMemoryWitness) {
    var result = outcome.result(of: request, reply: ProgramOutput.Reply())
    if result.termination == .signaled(SIGKILL) { result.isOutOfMemory = memory.hasGrown() }
    kind = .end(result)
  }

  /// It could not be started at all.
  init(unstarted error: any Error, of request: ProgramRequest) {
    guard let error = error as? SystemError else {
      kind = .lost(error)
      return
    }
    let words = "cannot start `\(Display.escaped(request.executable))`: \(error)"
    kind = .end(.unstarted(words, isShortage: error.isShortage))
  }

  /// There is no worker to speak of.
  static let none = WorkerWord(kind: .end(.unstarted("no worker had room for it")))

  init(lost error: any Error) { kind = .lost(error) }

  /// What wait4(2) says of it and its descendants, seconds.
  var cpu: Double? { if case .end(let result) = kind { result.usage.cpu } else { nil } }

  var end: WorkerCrew.End {
    switch kind {
    case .answer, .lost: return .lost
    case .end(let result):
      switch result.termination {
      case .unstarted: return .unstarted(isShortage: result.isShortage)
      // no other try mends the one, and the other wants none now
      case .exited(2), .exited(75), .signaled(SIGXCPU): return .gaveUp
      case .signaled where result.isOutOfMemory: return .gaveUp
      case .exited, .signaled: return .died
      }
    }
  }

  /// What one call is told.
  /// - Parameter limit: bytes of the reply that are kept.
  func result(
    of finish: WorkerCrew.Finish, limit: Int, usage: ResourceUsage
  ) -> Result<ProgramResult, any Error> {
    var result = ProgramResult(termination: termination, ending: .itself, usage: usage, reply: [], replyIsCut: false)
    switch finish {
    case .answered:
      guard case .answer(let line) = kind else { break }
      result.reply = line.count > limit ? Array(line.prefix(limit)) : line
      result.replyIsCut = line.count > limit
    case .cut:
      result.replyIsCut = true
      result.trouble = "bad reply: longer than \(Quantity.text(bytes: limit))"
    case .timeout: result.ending = .timeout
    case .cancelled: result.ending = .cancelled
    case .spoiled(let words, let line):
      result.trouble = words
      result.reply = Array(line.prefix(limit))
    case .asItsWorker:
      switch kind {
      case .answer: break
      case .lost(let error): return .failure(error)
      case .end(let end):
        result.isShortage = end.isShortage
        result.isOutOfMemory = end.isOutOfMemory
        if end.termination == .exited(0) { result.trouble = "the worker ended (exit 0) before it answered" }
      }
    }
    return .success(result)
  }

  /// Of one that is lost nothing is known but that all of its tree was killed.
  private var termination: Termination {
    switch kind {
    case .answer: .exited(0)
    case .end(let result): result.termination
    case .lost: .signaled(SIGKILL)
    }
  }
}
