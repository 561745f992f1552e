import Core
import Foundation
import GRDB
import Testing

@testable import Store

@Suite struct StepTests {
  let store: StateStore
  let reader: StateReader
  let run = Fixture.run(1)

  init() async throws {
    store = try StateStore.inMemory()
    reader = store.reader
    _ = try await store.claim([NewRun(run)])
  }

  @Test func `an outcome, its artifacts, hook calls and the next attempt are one transaction`() async throws {
    try await store.begin(run.id, attempt: Fixture.attempt(run.id, "clean"), at: Fixture.noon)
    var closed = Fixture.attempt(run.id, "clean", state: .ok, wall: 1.5)
    closed.granularity = GranularityOpinion(.hook, .medium, reason: "a hook said so")
    closed.sample = 0.25
    closed.metrics = ["rows": 12, "quality": 0.75, "note": "é"]
    let artifact = Artifact(stage: "clean", name: "table", path: "clean/table.csv", bytes: 9, sha256: "ab")
    let next = Fixture.attempt(run.id, "train")
    let before = store.commits
    try await store.advance(
      Step(
        run: run.id, at: Fixture.noon.addingTimeInterval(2), closed: [closed], artifacts: [artifact],
        hookCalls: [Fixture.hookCall(run: run.id)], context: ["seen": true], opened: [next]))
    #expect(store.commits == before + 1)
    #expect(try await reader.attempts(of: run.id) == [closed, next])
    #expect(try await reader.artifacts(of: run.id) == [artifact])
    #expect(try await reader.artifacts(of: run.id, stage: "train").isEmpty)
    #expect(try await reader.outputsSoFar(run.id) == ["clean": [artifact]])
    #expect(try await reader.hookCalls(of: run.id) == [Fixture.hookCall(run: run.id)])
    #expect(try await reader.context(of: run.id) == ["seen": true])
    #expect(try await reader.run(matching: .last).started == Fixture.noon)
  }

  @Test(arguments: AttemptState.allCases)
  func `every attempt state is accepted`(state: AttemptState) async throws {
    let attempt = Fixture.attempt(run.id, state: state)
    let step =
      state == .running
      ? Step(run: run.id, at: Fixture.noon, opened: [attempt])
      : Step(run: run.id, at: Fixture.noon, closed: [attempt])
    try await store.advance(step)
    #expect(try await reader.attempts(of: run.id) == [attempt])
  }

  @Test(arguments: [
    Termination.exited(0), .exited(-1), .exited(255), .signaled(9), .unstarted("no such file: `/nowhere`"),
  ])
  func `every way to end comes back`(termination: Termination) async throws {
    var attempt = Fixture.attempt(run.id, state: .failed, wall: 0.001)
    attempt.termination = termination
    var call = Fixture.hookCall(run: run.id)
    call.termination = termination
    try await store.advance(Step(run: run.id, at: Fixture.noon, closed: [attempt], hookCalls: [call]))
    #expect(try await reader.attempts(of: run.id) == [attempt])
    #expect(try await reader.hookCalls(of: run.id) == [call])
  }

  @Test(arguments: GranularityAuthority.allCases, Granularity.allCases)
  func `every granularity comes back`(authority: GranularityAuthority, level: Granularity) async throws {
    var attempt = Fixture.attempt(run.id)
    attempt.granularity = GranularityOpinion(authority, level, reason: "why")
    try await store.begin(run.id, attempt: attempt, at: Fixture.noon)
    #expect(try await reader.attempts(of: run.id) == [attempt])
  }

  @Test(arguments: HookDecision.allCases)
  func `every hook decision comes back`(decision: HookDecision) async throws {
    var call = Fixture.hookCall(run: run.id)
    call.decision = decision
    try await store.record([call])
    #expect(try await reader.hookCalls(of: run.id) == [call])
  }

  @Test func `two attempts of one stage never run at once`() async throws {
    try await store.begin(run.id, attempt: Fixture.attempt(run.id), at: Fixture.noon)
    await #expect(throws: StoreError.self) {
      try await store.begin(run.id, attempt: Fixture.attempt(run.id, n: 2), at: Fixture.noon)
    }
    try await store.begin(run.id, attempt: Fixture.attempt(run.id, "other"), at: Fixture.noon)
    #expect(try await reader.runningAttempts().map(\.stage) == ["other", "train"])
  }

  @Test func `an attempt is closed once`() async throws {
    let step = Step(run: run.id, at: Fixture.noon, closed: [Fixture.attempt(run.id, state: .ok)])
    try await store.advance(step)
    await #expect(
      throws: StoreError.conflict(
        "the state refuses this change: an attempt that has ended does not change")
    ) { try await store.advance(step) }
  }

  @Test func `a closed attempt that is said to be running is refused`() async throws {
    await #expect(throws: StoreError.conflict("attempt 1 of `train` is closed as `running`")) {
      try await store.advance(Step(run: run.id, at: Fixture.noon, closed: [Fixture.attempt(run.id)]))
    }
  }

  @Test(arguments: RunState.allCases.filter(\.isTerminal))
  func `what has ended does not change`(state: RunState) async throws {
    try await store.end(run.id, RunEnding(state, reason: "why", failedStage: "train"), at: Fixture.noon)
    let ended = try await reader.run(matching: .last)
    #expect(ended.state == state)
    #expect(ended.reason == "why")
    #expect(ended.failedStage == "train")
    #expect(ended.ended == Fixture.noon)
    let words = "run 1 has ended as `\(state.rawValue)`; a run that has ended does not change"
    await #expect(throws: StoreError.conflict(words)) {
      try await store.end(run.id, RunEnding(.done), at: Fixture.noon)
    }
    await #expect(throws: StoreError.conflict(words)) {
      try await store.begin(run.id, attempt: Fixture.attempt(run.id), at: Fixture.noon)
    }
    await #expect(throws: StoreError.conflict(words)) {
      try await store.park(run.id, until: nil, reason: nil, at: Fixture.noon)
    }
    try await store.filed([run.id])
    try await store.acknowledge([run.id], at: Fixture.noon)
    var filed = ended
    filed.filed = true
    filed.acknowledged = state == .done ? nil : Fixture.noon
    #expect(try await reader.run(matching: .last) == filed)
  }

  @Test(arguments: [
    "UPDATE run SET state = 'queued', ended = NULL", "UPDATE run SET reason = 'another'",
    "UPDATE run SET ended = 1",
    "INSERT INTO attempt SELECT 1, 'x', 1, 'running', 'off', 'arm', '', NULL, 1, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{}', ''",
  ])
  func `the database itself keeps what has ended`(sql: String) async throws {
    try await store.end(run.id, RunEnding(.failed), at: Fixture.noon)
    #expect(throws: (any Error).self) { try store.onWriter { try $0.execute(sql: sql) } }
  }

  @Test func `a run does not end while an attempt is running`() async throws {
    try await store.begin(run.id, attempt: Fixture.attempt(run.id), at: Fixture.noon)
    await #expect(throws: StoreError.self) {
      try await store.end(run.id, RunEnding(.cancelled), at: Fixture.noon)
    }
    try await store.advance(
      Step(
        run: run.id, at: Fixture.noon, closed: [Fixture.attempt(run.id, state: .cancelled)],
        turn: .ends(RunEnding(.cancelled))))
    #expect(try await reader.run(matching: .last).state == .cancelled)
  }

  @Test func `a run does not end as something that goes on`() async throws {
    await #expect(throws: StoreError.conflict("a run does not end as `waiting`")) {
      try await store.end(run.id, RunEnding(.waiting), at: Fixture.noon)
    }
  }

  @Test func `a parked run goes on with its next attempt`() async throws {
    let later = Fixture.noon.addingTimeInterval(60)
    try await store.park(run.id, until: later, reason: "a hook said later", at: Fixture.noon)
    var parked = try await reader.run(matching: .last)
    #expect(parked.state == .waiting)
    #expect(parked.resumes == later)
    #expect(parked.reason == "a hook said later")
    try await store.begin(run.id, attempt: Fixture.attempt(run.id), at: later)
    parked = try await reader.run(matching: .last)
    #expect(parked.state == .running)
    #expect(parked.resumes == nil)
    #expect(parked.reason == nil)
    #expect(parked.started == later)
  }

  @Test func `a step of an unknown run is refused in words`() async throws {
    let stranger = Fixture.id(99)
    let error = await #expect(throws: StoreError.self) {
      try await store.end(stranger, RunEnding(.done), at: Fixture.noon)
    }
    #expect(error?.description == "there is no run `\(stranger)`; `penstock runs` lists them")
  }

  @Test func `a step that fails leaves nothing of itself`() async throws {
    try await store.begin(run.id, attempt: Fixture.attempt(run.id), at: Fixture.noon)
    await #expect(throws: StoreError.self) {
      try await store.advance(
        Step(
          run: run.id, at: Fixture.noon, closed: [Fixture.attempt(run.id, state: .ok)],
          artifacts: [Artifact(stage: "train", name: "m", path: "m", bytes: -1, sha256: "")]))
    }
    #expect(try await reader.attempts(of: run.id).map(\.state) == [.running])
  }

  @Test func `interrupting leaves what is closed`() async throws {
    let dead = Fixture.attempt(run.id, "train")
    let done = Fixture.attempt(run.id, "clean", state: .ok)
    try await store.advance(Step(run: run.id, at: Fixture.noon, closed: [done], opened: [dead]))
    let at = Fixture.noon.addingTimeInterval(5)
    try await store.interrupt([dead, done], reason: "the host went down", at: at)
    try await store.interrupt([dead], reason: "again", at: at)
    var interrupted = dead
    interrupted.state = .interrupted
    interrupted.ended = at
    interrupted.reason = "the host went down"
    #expect(try await reader.attempts(of: run.id) == [done, interrupted])
    #expect(try await reader.run(matching: .last).state == .running)
  }

  @Test func `a later attempt's artifact takes the place of the earlier one`() async throws {
    var artifact = Artifact(stage: "train", name: "model", path: "a", bytes: 1, sha256: "a")
    try await store.advance(Step(run: run.id, at: Fixture.noon, artifacts: [artifact]))
    artifact.path = "b"
    try await store.advance(Step(run: run.id, at: Fixture.noon, artifacts: [artifact]))
    #expect(try await reader.artifacts(of: run.id) == [artifact])
  }

  @Test func `a NUL in a program's words does not cut them short`() async throws {
    var call = Fixture.hookCall(run: run.id)
    call.stderrTail = "a\0b"
    try await store.record([call])
    #expect(try await reader.hookCalls(of: run.id).map(\.stderrTail) == ["a\u{2400}b"])
  }
}
