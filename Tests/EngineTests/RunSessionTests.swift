import Core
import Testing

@testable import Engine

/// How a run is taken up from what was recorded of it.
@Suite struct RunSessionTests {
  private func stage(
    _ name: String, needs: [String] = [], attempts: Int = 1, fallback: Bool = false, onError: Stage.OnError = .fail
  ) -> Stage {
    Stage(
      name: name, program: ["x"], needs: needs, retry: RetryPolicy(attempts: attempts), onError: onError,
      fallback: fallback ? ["m": 1] : nil)
  }

  private func session(_ stages: [Stage], _ attempts: [Attempt], _ artifacts: [Artifact] = []) -> RunSession {
    var session = RunSession(
      run: Nouns.run(), pipeline: Pipeline(name: "fx", stages: stages), origin: [Nouns.file("input")], context: [:])
    session.resume(attempts: attempts, artifacts: artifacts) { "/r/" + $0.path }
    return session
  }

  private func artifact(_ stage: String) -> Artifact {
    Artifact(stage: stage, name: "out-\(stage)", path: "\(stage)/o", bytes: 1, sha256: "")
  }

  @Test func `what was done is settled, and what it left is handed on`() {
    let stages = [stage("a"), stage("b", needs: ["a"]), stage("c", needs: ["b"])]
    let session = session(
      stages, [Nouns.attempt("a", 1, .ok), Nouns.attempt("b", 1, .skipped)], [artifact("a")])
    #expect(session.ready(at: Nouns.noon).first?.name == "c")
    #expect(session.inputs(of: stages[2]).map(\.path) == ["/r/a/o"])
    #expect(session.attempts == ["a": 1, "b": 1])
  }

  @Test func `an interrupted attempt has its number and is no try`() {
    let session = session(
      [stage("a", attempts: 3)], [Nouns.attempt("a", 1, .failed, exit: 1), Nouns.attempt("a", 2, .interrupted)])
    #expect(session.ready(at: Nouns.noon).first?.name == "a" && session.attempts["a"] == 2 && session.tries["a"] == 1)
    #expect(session.usedFallback.isEmpty)
  }

  @Test func `a failure that was let pass is not tried again, followed or not`() {
    let stages = [stage("a", onError: .continue), stage("b", needs: ["a"])]
    let followed = session(stages, [Nouns.attempt("a", 1, .failed, exit: 1), Nouns.attempt("b", 1, .interrupted)])
    #expect(followed.ready(at: Nouns.noon).first?.name == "b")
    #expect(session(stages, [Nouns.attempt("a", 1, .failed, exit: 1)]).ready(at: Nouns.noon).first?.name == "b")
    #expect(session(stages, [Nouns.attempt("a", 1, .failed, exit: 75)]).ready(at: Nouns.noon).first?.name == "a")
  }

  @Test func `a failure with tries left waits for them`() {
    let session = session(
      [stage("a", attempts: 2, fallback: true, onError: .continue)], [Nouns.attempt("a", 1, .failed, exit: 1)])
    #expect(session.ready(at: Nouns.noon).first?.name == "a" && session.usedFallback.isEmpty)
  }

  @Test func `when the tries are used up the fallback is next, and goes on after an interruption`() {
    let stages = [stage("a", attempts: 2, fallback: true)]
    let failures = [Nouns.attempt("a", 1, .failed, exit: 1), Nouns.attempt("a", 2, .timeout)]
    #expect(session(stages, failures).usedFallback == ["a"])
    #expect(session(stages, failures + [Nouns.attempt("a", 3, .interrupted)]).usedFallback == ["a"])
    #expect(
      session(stages, [Nouns.attempt("a", 1, .failed, exit: 2), Nouns.attempt("a", 2, .interrupted)]).usedFallback == [
        "a"
      ])
  }

  @Test func `a fallback that failed too is let pass where that is said`() {
    let stages = [stage("a", attempts: 1, fallback: true, onError: .continue), stage("b")]
    let attempts = [Nouns.attempt("a", 1, .failed, exit: 1), Nouns.attempt("a", 2, .failed, exit: 1)]
    #expect(session(stages, attempts).ready(at: Nouns.noon).first?.name == "b")
  }

  @Test func `a stage that leaves nothing hands on what it got, and a bypassed one what it names`() {
    var off = stage("off", needs: ["quiet"])
    off.passthrough = ["out-a"]
    let stages = [stage("a"), stage("quiet", needs: ["a"]), off, stage("last", needs: ["off"])]
    let session = session(
      stages, [Nouns.attempt("a", 1, .ok), Nouns.attempt("quiet", 1, .ok), Nouns.attempt("off", 1, .skipped)],
      [artifact("a")])
    #expect(session.inputs(of: stages[3]).map(\.name) == ["out-a"])
    #expect(session.left(by: stages[1]).isEmpty)
  }
}
