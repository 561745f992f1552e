import Core
import Testing

@testable import Engine

@Suite struct HookVerdictTests {
  private func verdict() -> HookVerdict { HookVerdict(params: ["a": 1], context: [:]) }

  @Test func `patches are merged, and the hooks after it still run`() {
    var verdict = verdict()
    let goesOn = verdict.take(HookReply(params: ["b": 2, "a": nil], context: ["c": ["d": 1]]), from: "p")
    #expect(goesOn)
    let goesOnAgain = verdict.take(HookReply(context: ["c": ["e": 2]]), from: "q")
    #expect(goesOnAgain)
    #expect(verdict.params == ["b": 2] && verdict.context == ["c": ["d": 1, "e": 2]] && verdict.decision == .allow)
  }

  @Test func `of two levels the later hook's holds, with its reason`() {
    var verdict = verdict()
    _ = verdict.take(HookReply(granularity: .fine), from: "p")
    _ = verdict.take(HookReply(reason: "late", granularity: .off), from: "q")
    #expect(verdict.granularity == GranularityOpinion(.hook, .off, reason: "hook `q`: late"))
  }

  @Test(arguments: [
    (HookReply(decision: .deny), HookVerdict.Decision.deny(reason: "hook `p` denies, and gives no reason")),
    (HookReply(decision: .skip, reason: "r"), .skip(reason: "hook `p`: r")),
    (HookReply(decision: .defer, retryAfter: .seconds(5)), .defer(.seconds(5), reason: "hook `p` defers the run")),
  ])
  func `a decision ends the round`(reply: HookReply, decision: HookVerdict.Decision) {
    var verdict = verdict()
    let goesOn = verdict.take(reply, from: "p")
    #expect(!goesOn)
    #expect(verdict.decision == decision)
  }

  @Test func `only 0, 2 and 75 are answers`() {
    func failure(_ result: ProgramResult) -> String? {
      HookVerdict.failure(of: result, timeout: .seconds(30), lastLine: "w")
    }
    for code: Int32 in [0, 2, 75] { #expect(failure(Nouns.result(.exited(code))) == nil) }
    #expect(failure(Nouns.result(.exited(1))) == "exit 1: w")
    #expect(failure(Nouns.result(.signaled(9), .timeout)) == "took longer than its timeout of 30s")
    #expect(failure(Nouns.result(.exited(0), .cancelled)) == "cancelled")
  }

  @Test func `exit 2 and 75 decide whatever was said`() throws {
    #expect(
      try HookVerdict.reply(
        of: Nouns.result(.exited(2), reply: "{\"decision\":\"allow\",\"reason\":\"r\"}"), lastLine: "w")
        == HookReply(decision: .deny, reason: "r"))
    #expect(try HookVerdict.reply(of: Nouns.result(.exited(75), reply: "nonsense"), lastLine: "w").decision == .defer)
    #expect(throws: BadReply.self) { try HookVerdict.reply(of: Nouns.result(isCut: true), lastLine: nil) }
  }
}
