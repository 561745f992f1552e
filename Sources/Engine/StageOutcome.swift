package import Core

/// What one attempt of a stage comes to: decided from how its program ended and what it replied.
package struct StageOutcome: Sendable, Equatable {
  package enum Retry: Sendable, Equatable {
    /// No try will mend it: exit 2.
    case never
    /// While tries are left.
    case whileLeft
    /// The program asks for another try: exit 75, or `retry`.
    case asked
  }

  package var state: AttemptState
  package var reason: String?
  package var retry: Retry
  package var reply: StageReply
  /// What kind of failure it is; `nil` where it is none.
  package var error: StageError?

  private static let badReply = StageError(.configuration, "bad-reply")

  /// It ended well, and nobody can tell what it said.
  package var isBadReply: Bool { error == Self.badReply }

  /// Reads the result of a program by contract 1.
  /// - Parameter lastLine: the last line it wrote to stderr, for a failure that gives no other reason.
  package static func of(
    _ result: ProgramResult, timeout: Duration?, limits: ResourceLimits = ResourceLimits(), lastLine: String?
  ) -> StageOutcome {
    switch result.ending {
    case .timeout:
      return failure(
        .timeout, "took longer than its timeout of \(Quantity.text(timeout ?? .zero))", StageError(.system, "timeout"))
    case .cancelled: return failure(.cancelled, "cancelled", retry: .never)
    case .abandoned: return failure(.interrupted, "the agent died", retry: .never)
    case .itself: break
    }
    if let words = limits.words(for: result, lastLine: lastLine) {
      return failure(.failed, words, StageError(.system, "limit"))
    }
    let why = lastLine.map { ": \($0)" } ?? ""
    if let trouble = result.troubleInWords { return failure(.failed, trouble + why, badReply) }
    switch result.termination {
    case .unstarted(let words) where result.isLost: return failure(.failed, words, StageError(.system, "lost"))
    case .unstarted(let words): return failure(.failed, words, StageError(.configuration, "unstarted"))
    case .signaled(let signal):
      return failure(.failed, "ended by signal \(signalName(signal))\(why)", StageError(.system, "signal"))
    case .exited(0): return replied(result)
    case .exited(let code):
      let reply = try? StageReply(parsing: result.reply)
      switch code {
      case 2:
        let reason = reply?.reason ?? lastLine ?? "exit 2, no reason on stderr"
        return failure(.failed, reason, reply?.error ?? StageError(.data, "refused"), retry: .never)
      case 75:
        let reason = reply?.reason ?? "asks to be tried later (exit 75)\(why)"
        return failure(.failed, reason, reply?.error ?? StageError(.system, "later"), retry: .asked)
      case 126, 127:
        return failure(
          .failed, reply?.reason ?? "exit \(code)\(why)", reply?.error ?? StageError(.configuration, "exit"))
      default:
        return failure(.failed, reply?.reason ?? "exit \(code)\(why)", reply?.error ?? StageError(.system, "exit"))
      }
    }
  }

  private static func replied(_ result: ProgramResult) -> StageOutcome {
    if result.replyIsCut { return failure(.failed, "bad reply: longer than 1 MiB", badReply) }
    let reply: StageReply
    do { reply = try StageReply(parsing: result.reply) } catch {
      return failure(.failed, "bad reply: \(error)", badReply)
    }
    return of(reply)
  }

  /// What a reply says.
  static func of(_ reply: StageReply) -> StageOutcome {
    switch reply.status {
    case .ok: return StageOutcome(state: .ok, reason: nil, retry: .never, reply: reply)
    case .skip:
      let reason = reply.reason ?? "the stage says skip"
      return StageOutcome(state: .skipped, reason: reason, retry: .never, reply: reply)
    case .fail:
      let reason = reply.reason ?? "the stage says fail, and gives no reason"
      let error = reply.error ?? StageError(.system, "said")
      return StageOutcome(state: .failed, reason: reason, retry: .whileLeft, reply: reply, error: error)
    case .retry:
      let reason = reply.reason ?? "the stage asks to be tried again"
      let error = reply.error ?? StageError(.system, "later")
      return StageOutcome(state: .failed, reason: reason, retry: .asked, reply: reply, error: error)
    }
  }

  /// - Parameter error: `nil` makes a plain failure one of the configuration, and leaves all else without.
  package static func failure(
    _ state: AttemptState, _ reason: String, _ error: StageError? = nil, retry: Retry = .whileLeft
  ) -> StageOutcome {
    let standard = state == .failed ? StageError(.configuration, "refused") : nil
    return StageOutcome(state: state, reason: reason, retry: retry, reply: StageReply(), error: error ?? standard)
  }

  /// What comes after an outcome that is not ok.
  package enum Next: Sendable, Equatable {
    case tryAgain(after: Duration)
    /// Once more, with the parameters of `fallback`.
    case fallBack
    case goOn
    case stop
  }

  /// A program that asks for another try gets at least this many, whatever `retry` says.
  static let leastWhenAsked = 3

  /// - Parameter tries: how many attempts were used up, interruptions not counted.
  package func next(
    for stage: Stage, tries: Int, usedFallback: Bool, using generator: inout some RandomNumberGenerator
  ) -> Next {
    if [.ok, .skipped, .cached].contains(state) { return .goOn }
    if [.denied, .cancelled, .interrupted].contains(state) { return .stop }
    let limit = retry == .asked ? max(stage.retry.attempts, Self.leastWhenAsked) : stage.retry.attempts
    if mayRetry(under: stage.retry), !usedFallback, tries < limit {
      return .tryAgain(after: stage.retry.wait(after: tries, using: &generator))
    }
    if stage.fallback != nil, !usedFallback { return .fallBack }
    return stage.onError == .continue ? .goOn : .stop
  }

  private func mayRetry(under policy: RetryPolicy) -> Bool {
    switch retry {
    case .never: false
    case .asked: true
    case .whileLeft: policy.on.map { on in error.map { on.contains($0.class) } ?? true } ?? true
    }
  }

  private static func signalName(_ number: Int32) -> String {
    let names: [Int32: String] = [
      1: "HUP", 2: "INT", 3: "QUIT", 4: "ILL", 6: "ABRT", 7: "BUS", 8: "FPE", 9: "KILL", 10: "USR1",
      11: "SEGV", 12: "USR2", 13: "PIPE", 14: "ALRM", 15: "TERM", 24: "XCPU", 25: "XFSZ", 31: "SYS",
    ]
    return names[number].map { "\(number) (\($0))" } ?? "\(number)"
  }
}
