import Core
import Testing

@testable import Engine

@Suite struct LogWordsTests {
  private static let attempt = Nouns.attempt("train", 1, .failed, exit: 1)
  private static let call = HookCall(
    run: nil, stage: nil, attempt: nil, event: "before-run", program: "p", sha256: nil, at: Nouns.noon,
    usage: ResourceUsage(wall: 1, cpu: 1, peakRSS: nil), termination: .exited(0), timedOut: false, decision: .allow,
    reason: nil, stderrTail: "")

  static let kinds: [Event.Kind] = [
    .agentStarted(pid: 1, home: "/w"), .agentStopping(reason: "r", running: 1, drain: .seconds(10)),
    .agentStoppingNow(reason: "r"), .agentStopped, .recovered(runs: 1, adopted: 2),
    .dropHeld(FileName("a"), reason: "r"), .dropUnmatched(FileName("a"), nearest: nil),
    .dropClaimed(FileName("a"), bytes: 1), .dropQuarantined(FileName("a"), reason: "r"),
    .dropFiled(nil, to: .done), .filingTroubled("r"), .intakePaused(reason: "r"), .intakeResumed,
    .runStarted(drop: nil, stages: []), .runWaiting(until: nil, reason: "r"),
    .runEnded(.failed, seconds: 1, reason: "r"),
    .stageStarted(GranularityOpinion(.fixed, .coarse, reason: "r"), sample: nil), .stageEnded(attempt),
    .stageRetried(after: .seconds(1), reason: "r"), .outputLine([0x61], hook: nil), .hookCalled(call),
    .hookRefused(event: "e", program: "p", reason: "r"), .hookWarned(program: "p", warning: "w"),
    .pipelineLoaded(name: "n", path: "p", isFirst: true),
    .pipelineInvalid(path: "p", errors: 1, first: "f", lastGoodInForce: false), .pipelineGone(name: "n", path: "p"),
    .stageUnable(path: "p", stage: "s", reason: "r"),
    .watched(.troubled("r")), .watched(.mended("r")), .watched(.replaced), .watched(.overflowed(2)),
    .watched(.mode(.events)), .controlRefused("r"), .clearedAway(runs: 1, bytes: 2), .clearingTroubled("r"),
    .policyDemoted(levels: "a=fine", reason: "r"), .ruleBroken(reason: "r"),
  ]

  @Test func `every event has words of its own`() {
    let records = Self.kinds.map { LogWords.record(of: Event(at: Nouns.noon, $0)) }
    #expect(records.allSatisfy { $0.message != "unworded" })
    #expect(Set(records.map(\.message)).count == records.count)
  }

  @Test func `what a mask hides is shown nowhere`() throws {
    for kind in [
      Event.Kind.outputLine(Array("tok-12345".utf8), hook: nil), .runWaiting(until: nil, reason: "x tok-12345"),
    ] {
      var event = Event(at: Nouns.noon, kind)
      #expect(try LogWords.record(of: event).json { "\($0)" }.line().contains("tok-12345"))
      event.mask = SecretMask(values: ["tok-12345"])
      #expect(try !LogWords.record(of: event).json { "\($0)" }.line().contains("tok-12345"))
    }
  }
}
