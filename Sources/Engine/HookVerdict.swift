package import Core

/// What the hooks of one moment come to together.
package struct HookVerdict: Equatable {
  package enum Decision: Equatable {
    case allow
    case deny(reason: String)
    case skip(reason: String)
    case `defer`(Duration, reason: String)
    /// A hook failed where that counts.
    case fail(reason: String)
  }

  package var decision = Decision.allow
  package var params: JSON
  package var context: JSON
  /// What changed the context, in order.
  package private(set) var contextPatches: [JSON] = []
  package var granularity: GranularityOpinion?

  /// What the next hook sees of the stage.
  package func patched(_ stage: Envelope.StagePart) -> Envelope.StagePart {
    var stage = stage
    stage.params = params.object ?? [:]
    if let level = granularity?.level { stage.granularity = level }
    return stage
  }

  /// - Parameters:
  ///   - params: those of the stage as they are.
  ///   - context: that of the run.
  package init(params: JSON, context: JSON) {
    self.params = params
    self.context = context
  }

  /// Takes one hook's reply in; says whether the hooks after it still run.
  package mutating func take(_ reply: HookReply, from program: String) -> Bool {
    if let patch = reply.params { params = params.merging(patch) }
    if let patch = reply.context {
      context = context.merging(patch)
      contextPatches.append(patch)
    }
    if let level = reply.granularity {
      let why = reply.reason.map { ": \($0)" } ?? ""
      granularity = GranularityOpinion(.hook, level, reason: "hook `\(program)`\(why)")
    }
    let reason = reply.reason.map { "hook `\(program)`: \($0)" }
    switch reply.decision {
    case .allow, .error: return true
    case .deny: decision = .deny(reason: reason ?? "hook `\(program)` denies, and gives no reason")
    case .skip: decision = .skip(reason: reason ?? "hook `\(program)` says skip")
    case .defer:
      let wait = reply.retryAfter
      decision = .defer(wait, reason: reason ?? "hook `\(program)` defers the run")
    }
    return false
  }

  /// What a call's ending means before any reply is read; `nil` where the reply decides.
  package static func failure(of result: ProgramResult, timeout: Duration, lastLine: String?) -> String? {
    switch result.ending {
    case .timeout: return "took longer than its timeout of \(Quantity.text(timeout))"
    case .cancelled: return "cancelled"
    case .abandoned: return "the agent died"
    case .itself: break
    }
    let why = lastLine.map { ": \($0)" } ?? ""
    if let trouble = result.troubleInWords { return trouble + why }
    switch result.termination {
    case .exited(0), .exited(2), .exited(75): return nil
    case .exited(let code): return "exit \(code)\(why)"
    case .signaled(let signal): return "ended by signal \(signal)\(why)"
    case .unstarted(let words): return words
    }
  }

  /// The reply of a hook that ended with 0, 2 or 75.
  package static func reply(of result: ProgramResult, lastLine: String?) throws(BadReply) -> HookReply {
    switch result.termination {
    case .exited(2):
      let said = (try? HookReply(parsing: result.reply))?.reason
      return HookReply(decision: .deny, reason: said ?? lastLine)
    case .exited(75):
      var reply = (try? HookReply(parsing: result.reply)) ?? HookReply()
      reply.decision = .defer
      reply.reason = reply.reason ?? lastLine
      return reply
    default:
      if result.replyIsCut { throw BadReply("the reply is longer than 1 MiB") }
      return try HookReply(parsing: result.reply)
    }
  }
}
