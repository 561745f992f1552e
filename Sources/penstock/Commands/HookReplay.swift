import Core
import Engine
import Foundation

/// What the hooks of one moment said of an envelope, and what it would come to.
struct HookReplay {
  struct Call {
    var hook: HookListing.Hook
    /// `nil` where it was not run.
    var result: ProgramResult?
    var reply: HookReply?
    var failure: String?
  }

  var trial: TrialEnvelope
  var calls: [Call] = []
  var verdict: HookVerdict

  /// Calls them as an agent does: each sees the patches of those before, and the last word ends the chain.
  static func run(_ hooks: [HookListing.Hook], on trial: TrialEnvelope, _ desk: HookDesk) async throws -> HookReplay {
    var replay = HookReplay(
      trial: trial,
      verdict: HookVerdict(
        params: trial.envelope["stage"]?["params"] ?? .object([:]), context: trial.envelope["context"] ?? .object([:])))
    for hook in hooks {
      if let refusal = hook.file.refusal {
        replay.calls.append(Call(hook: hook, failure: "does not run: \(refusal)"))
        guard hook.pipeline != nil, hook.onError == .fail else { continue }
        replay.verdict.decision = .fail(reason: "hook `\(hook.file.shown)` does not run: \(refusal)")
        break
      }
      let told = trial.told(
        hook.event, params: replay.verdict.params, context: replay.verdict.context,
        level: replay.verdict.granularity?.level)
      let result = try await desk.run(
        hook.file, [hook.file.path] + hook.arguments, on: trial, told: told, limit: hook.timeout)
      let call = read(result, of: hook)
      replay.calls.append(call)
      if let reply = call.reply {
        if !replay.verdict.take(reply, from: hook.file.shown) { break }
      } else if hook.onError == .fail {
        replay.verdict.decision = .fail(reason: "hook `\(hook.file.shown)` failed: \(call.failure ?? "")")
        break
      }
    }
    return replay
  }

  private static func read(_ result: ProgramResult, of hook: HookListing.Hook) -> Call {
    if let failure = HookVerdict.failure(of: result, timeout: hook.timeout, lastLine: nil) {
      return Call(hook: hook, result: result, failure: failure)
    }
    do {
      let reply = try HookVerdict.reply(of: result, lastLine: nil)
      if let failure = reply.failure { return Call(hook: hook, result: result, failure: failure) }
      return Call(hook: hook, result: result, reply: reply)
    } catch {
      return Call(hook: hook, result: result, failure: "bad reply: \(error)")
    }
  }
}
