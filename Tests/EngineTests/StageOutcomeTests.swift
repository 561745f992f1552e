import Core
import Testing

@testable import Engine

@Suite struct StageOutcomeTests {
  private func outcome(_ result: ProgramResult, line: String? = "last words") -> StageOutcome {
    StageOutcome.of(result, timeout: .seconds(90), lastLine: line)
  }

  @Test func `a program whose keeper was killed failed by the system, not by what a person wrote`() {
    var result = Nouns.result(.unstarted("lost"))
    result.isLost = true
    let outcome = StageOutcome.of(result, timeout: nil, limits: ResourceLimits(), lastLine: nil)
    #expect(outcome.error?.class == .system)
  }

  @Test(
    arguments: [
      (Nouns.result(), AttemptState.ok, nil, StageOutcome.Retry.never),
      (Nouns.result(.exited(1)), .failed, "exit 1: last words", .whileLeft),
      (Nouns.result(.exited(2)), .failed, "last words", .never),
      (Nouns.result(.exited(75)), .failed, "asks to be tried later (exit 75): last words", .asked),
      (Nouns.result(.exited(1), reply: "{\"reason\":\"said\"}"), .failed, "said", .whileLeft),
      (Nouns.result(.signaled(11)), .failed, "ended by signal 11 (SEGV): last words", .whileLeft),
      (Nouns.result(.unstarted("no such file")), .failed, "no such file", .whileLeft),
      (Nouns.result(.signaled(9), .timeout), .timeout, "took longer than its timeout of 1m30s", .whileLeft),
      (Nouns.result(.exited(0), .cancelled), .cancelled, "cancelled", .never),
      (Nouns.result(.signaled(9), .abandoned), .interrupted, "the agent died", .never),
      (Nouns.result(reply: "{\"status\":\"skip\",\"reason\":\"r\"}"), .skipped, "r", .never),
      (Nouns.result(reply: "{\"status\":\"fail\"}"), .failed, "the stage says fail, and gives no reason", .whileLeft),
      (Nouns.result(reply: "{\"status\":\"retry\",\"reason\":\"r\"}"), .failed, "r", .asked),
      (Nouns.result(isCut: true), .failed, "bad reply: longer than 1 MiB", .whileLeft),
    ] as [(ProgramResult, AttemptState, String?, StageOutcome.Retry)])
  func `an ending means one thing`(
    result: ProgramResult, state: AttemptState, reason: String?, retry: StageOutcome.Retry
  ) {
    let outcome = outcome(result)
    #expect(outcome.state == state && outcome.reason == reason && outcome.retry == retry)
  }

  @Test func `exit 2 without a word has a reason all the same`() {
    #expect(outcome(Nouns.result(.exited(2)), line: nil).reason == "exit 2, no reason on stderr")
  }

  private func next(
    _ outcome: StageOutcome, _ stage: Stage, tries: Int, usedFallback: Bool = false
  ) -> StageOutcome.Next {
    var chance = Fixed(value: 1 << 63)
    return outcome.next(for: stage, tries: tries, usedFallback: usedFallback, using: &chance)
  }

  private func stage(
    attempts: Int = 1, fallback: Bool = false, onError: Stage.OnError = .fail
  ) -> Stage {
    Stage(
      name: "s", program: ["x"], retry: RetryPolicy(attempts: attempts, backoff: .seconds(1), factor: 2, jitter: 0),
      onError: onError, fallback: fallback ? ["m": 1] : nil)
  }

  @Test func `a failure is tried again while tries are left, then falls back, then stops or goes on`() {
    let failed = StageOutcome.failure(.failed, "")
    #expect(next(failed, stage(attempts: 3), tries: 2) == .tryAgain(after: .seconds(2)))
    #expect(next(failed, stage(attempts: 3), tries: 3) == .stop)
    #expect(next(failed, stage(attempts: 2, fallback: true), tries: 2) == .fallBack)
    #expect(next(failed, stage(attempts: 2, fallback: true), tries: 3, usedFallback: true) == .stop)
    #expect(next(failed, stage(attempts: 9, fallback: true), tries: 1, usedFallback: true) == .stop)
    #expect(next(failed, stage(onError: .continue), tries: 1) == .goOn)
  }

  @Test func `what no try will mend is not tried, and what asks is tried at least three times`() {
    let hopeless = StageOutcome.failure(.failed, "", retry: .never)
    #expect(next(hopeless, stage(attempts: 9), tries: 1) == .stop)
    #expect(next(hopeless, stage(attempts: 9, fallback: true), tries: 1) == .fallBack)
    let asked = StageOutcome.failure(.failed, "", retry: .asked)
    #expect(next(asked, stage(), tries: 2) == .tryAgain(after: .seconds(2)))
    #expect(next(asked, stage(), tries: 3) == .stop)
  }

  @Test(arguments: [AttemptState.denied, .cancelled, .interrupted])
  func `what was stopped stops, whatever on_error says`(state: AttemptState) {
    #expect(next(.failure(state, ""), stage(attempts: 9, fallback: true, onError: .continue), tries: 1) == .stop)
  }
}
