import Core

/// What came of trying a hook.
struct HookTrial: Answer {
  var program: String
  var result: ProgramResult

  private var reply: Result<HookReply, BadReply> {
    do throws(BadReply) { return .success(try HookReply(parsing: result.reply)) } catch {
      return .failure(error)
    }
  }

  /// Why it would count as an error; `nil` where it answers.
  var failure: String? {
    if result.ending == .timeout { return "it took too long and was ended" }
    switch result.termination {
    case .exited(0): if case .failure(let bad) = reply { return "bad reply: \(bad)" } else { return nil }
    case .exited(2), .exited(75): return nil
    case .exited(let code): return "it ended with exit code \(code)"
    case .signaled(let signal): return "it was ended by signal \(signal)"
    case .unstarted(let why): return why
    }
  }

  private var decision: String {
    if failure != nil { return "error" }
    switch result.termination {
    case .exited(2): return "deny"
    case .exited(75): return "defer"
    default: if case .success(let reply) = reply { return reply.decision.rawValue } else { return "error" }
    }
  }

  private var reason: String? {
    if let failure { return failure }
    if case .success(let reply) = reply { return reply.reason } else { return nil }
  }

  func json() -> JSON {
    [
      "api": 1, "program": .string(Display.escaped(program)), "decision": .string(decision),
      "reason": reason.map { .string($0) } ?? .null, "wall_s": .number(result.usage.wall),
      "cpu_s": .number(result.usage.cpu), "reply": .string(String(decoding: result.reply, as: UTF8.self)),
    ]
  }

  func lines(_ output: Output) -> [String] {
    let tone: Output.Tone = failure != nil ? .bad : decision == "allow" ? .good : .odd
    var lines = [
      "\(Shown.words(program)): " + output.toned(HookDecision.words(decision), tone)
        + " after \(Shown.seconds(result.usage.wall))"
        + (reason.map { ": \(Shown.words($0))" } ?? "")
    ]
    lines += Shown.paragraph(String(decoding: result.reply, as: UTF8.self)).map { "  replied " + $0 }
    return lines
  }
}
