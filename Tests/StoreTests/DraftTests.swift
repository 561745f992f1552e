import Core
import Foundation
import Synchronization
import Testing

@testable import Store

/// Runs that are told of while they stand at the gate.
@Suite(.timeLimit(.minutes(5))) struct DraftTests {
  let state: TemporaryState
  let store: StateStore

  init() async throws {
    state = try TemporaryState()
    store = try StateStore(path: state.path)
    try await store.register(Fixture.version())
  }

  /// What was drafted, whether it was on the record then, and what was told of its recording.
  private final class Ear: Sendable {
    let drafts = Mutex<[[NewRun]]>([])
    let told = AsyncStream<Void>.makeStream()

    func hear(_ runs: [NewRun]) {
      drafts.withLock { $0.append(runs) }
      told.continuation.yield()
    }

    func first() async { for await _ in told.stream { return } }
  }

  private func claim(_ n: Int) -> NewRun {
    let run = Fixture.run(n)
    return NewRun(run, attempt: Fixture.attempt(run.id))
  }

  @Test func `a draft is told with its number and its attempt before it is on the record`() async throws {
    let (ear, gate) = (Ear(), CommitGate())
    let reader = try StateReader(path: state.path)
    async let claimed = outcome { try await store.claim([claim(1)], when: gate) { ear.hear($0) } }
    await ear.first()
    #expect(try await reader.runs(limit: 9).isEmpty)
    #expect(!gate.recording.isGiven)
    gate.open(.success(()))
    try await gate.recording.given()
    #expect(try await reader.runs(limit: 9).map(\.number) == [1])
    let runs = try await claimed.get()
    let drafts = ear.drafts.withLock { $0 }
    #expect(drafts == [runs])
    #expect(runs[0].run.state == .running && runs[0].run.number == 1)
    #expect(runs[0].attempt?.stage == Fixture.attempt(runs[0].run.id).stage)
  }

  @Test func `where what it tells of is not durable its recording is refused`() async throws {
    let (ear, gate) = (Ear(), CommitGate())
    async let claimed = outcome { try await store.claim([claim(1)], when: gate) { ear.hear($0) } }
    await ear.first()
    gate.open(.failure(StoreError.conflict("torn")))
    await #expect(throws: StoreError.conflict("torn")) { try await gate.recording.given() }
    let refused = await claimed
    #expect(throws: StoreError.conflict("torn")) { try refused.get() }
    #expect(ear.drafts.withLock { $0.count } == 1)
    #expect(try await store.reader.runs(limit: 9).isEmpty)
  }

  @Test func `a change that is made again keeps to what was told of it`() async throws {
    let (ear, gate) = (Ear(), CommitGate())
    // what comes while one stands at its gate is made together
    let (porter, door) = (Ear(), CommitGate())
    async let first = outcome { try await store.claim([NewRun(Fixture.run(1))], when: door) { porter.hear($0) } }
    await porter.first()
    // takes a number, and fails when it is made again
    let times = Mutex(0)
    async let fickle = outcome {
      try await store.perform { database in
        _ = try database.insert(Fixture.run(2))
        let isFirst = times.withLock { times in
          times += 1
          return times == 1
        }
        if !isFirst { throw StoreError.conflict("not again") }
      }
    }
    while store.gathered < 1 { await Task.yield() }
    async let claimed = outcome { try await store.claim([claim(3)], when: gate) { ear.hear($0) } }
    while store.gathered < 2 { await Task.yield() }
    // has all that were gathered made again, each for itself
    async let spoiler = outcome { try await store.perform { _ in throw StoreError.conflict("never") } }
    while store.gathered < 3 { await Task.yield() }
    gate.open(.success(()))
    door.open(.success(()))
    #expect(try await first.get().map(\.run.number) == [1])
    let (failed, spoiled, runs) = (await fickle, await spoiler, try await claimed.get())
    #expect(throws: StoreError.conflict("not again")) { try failed.get() }
    #expect(throws: StoreError.conflict("never")) { try spoiled.get() }
    #expect(times.withLock { $0 } == 2)
    #expect(ear.drafts.withLock { $0 } == [runs])
    #expect(runs.map(\.run.number) == [3])
    #expect(try await store.reader.runs(limit: 9).map(\.number).sorted() == [1, 3])
  }

  private func outcome<Value: Sendable>(_ body: () async throws -> Value) async -> Result<Value, any Error> {
    do { return .success(try await body()) } catch { return .failure(error) }
  }
}
