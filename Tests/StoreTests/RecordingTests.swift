import Core
import Testing

@testable import Store

@Suite(.timeLimit(.minutes(5))) struct RecordingTests {
  @Test func `a recording is durable when its commit is, and everyone who waits hears of it`() async throws {
    let store = try StateStore.inMemory()
    try await store.register(Fixture.version())
    let run = try await store.claim([NewRun(Fixture.run(1))])[0]
    let attempt = Fixture.attempt(run.id)
    let gate = CommitGate()
    let (written, isWritten) = AsyncStream<Void>.makeStream()
    store.whenWritten { isWritten.finish() }
    async let claim = store.claim([NewRun(Fixture.run(2))], when: gate)
    // what comes now is not written before the gate opens
    for await _ in written {}
    let recording = try store.begin(Step(run: run.id, at: attempt.started, opened: [attempt]))
    async let first: Void = recording.given()
    async let second: Void = recording.given()
    gate.open(.success(()))
    _ = try await (first, second, claim)
    try await recording.given()
    #expect(try await store.reader.attempts(of: run.id).map(\.state) == [.running])
  }

  @Test func `a recording that is refused says so to all who wait`() async throws {
    let store = try StateStore.inMemory()
    try await store.register(Fixture.version())
    let run = try await store.claim([NewRun(Fixture.run(1))])[0]
    try await store.end(run.id, RunEnding(.failed, reason: "x"), at: run.created)
    let recording = try store.begin(
      Step(run: run.id, at: run.created, opened: [Fixture.attempt(run.id)]))
    for _ in 0..<2 { await #expect(throws: StoreError.self) { try await recording.given() } }
    #expect(try await store.reader.attempts(of: run.id).isEmpty)
  }
}
