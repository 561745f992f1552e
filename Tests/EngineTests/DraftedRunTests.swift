import Core
import Foundation
import Store
import Synchronization
import Testing

@testable import Engine

/// A drop's first program is prepared while its claim is made durable, and nothing comes of it before that.
@Suite(.timeLimit(.minutes(5))) struct DraftedRunTests {
  /// Notes what is said and what becomes of programs, in one order.
  private final class Witness: ProcessRunner {
    let seen = Mutex<[String]>([])
    let prepared = AsyncStream<Void>.makeStream()

    func note(_ what: String) { seen.withLock { $0.append(what) } }

    private struct Ended: Error {}

    /// Fails until `isGood`.
    let isGood = Mutex(true)

    func run(_ request: ProgramRequest) async throws -> ProgramResult {
      let begins = Permit()
      _ = request.cancellation?.listen { _ in begins.settle(.failure(Ended())) }
      if let permit = request.permit { permit.whenKnown { begins.settle($0) } } else { begins.settle(.success(())) }
      prepared.continuation.yield()
      do { try await begins.given() } catch is Ended { return Nouns.result(.unstarted("ended before"), .cancelled) }
      note("program begins")
      return isGood.withLock { $0 } ? Nouns.result(reply: #"{"status":"ok"}"#) : Nouns.result(.exited(1))
    }
  }

  private struct Parts: Sendable {
    let bench: Workbench
    let dispatcher: Dispatcher
    let recorder: ClaimRecorder
    let pipeline: Pipeline?

    func record(when gate: CommitGate) async throws {
      let run = Run(
        id: Aftermath.id(1), pipeline: "p", version: "d", trigger: .drop,
        drop: Drop(name: FileName("1.csv"), bytes: 1, sha256: "ab"), created: Aftermath.noon)
      _ = try await RunRecorder(bench: bench, dispatcher: dispatcher).record(
        [(run, pipeline)], mayBegin: true, when: gate
      ) { drafts in
        for (run, opened) in drafts { recorder.announce(run, opened: opened, recording: gate.recording) }
      }
    }
  }

  private let place: Aftermath
  private let witness = Witness()
  private let parts: Parts

  private static var stage: Stage {
    var stage = Stage(name: "s", program: ["/bin/true"], timeout: .seconds(9))
    stage.onInterrupt = .fail
    stage.retry = RetryPolicy(attempts: 2, backoff: .seconds(3600))
    return stage
  }

  init() async throws {
    place = try await Aftermath(stages: [Self.stage])
    parts = try Self.parts(of: place, witness)
  }

  private static func parts(of place: Aftermath, _ witness: Witness) throws -> Parts {
    var bench = place.bench
    bench.processes = witness
    bench.report = { event in
      switch event.kind {
      case .dropClaimed: witness.note("claimed")
      case .runStarted: witness.note("run started")
      case .stageStarted: witness.note("stage started")
      case .runEnded: witness.note("run ended")
      default: break
      }
    }
    try place.work(1, [FileName("1.csv")])
    let dispatcher = Dispatcher(bench: bench, book: place.book, filer: Filer(bench: bench) {}, monotonic: { .zero }) {}
    return Parts(
      bench: bench, dispatcher: dispatcher,
      recorder: ClaimRecorder(bench: bench, book: place.book, dispatcher: dispatcher),
      pipeline: place.book.version(of: "p")?.pipeline)
  }

  @Test func `it is prepared before its claim is durable; it begins and is told of after that, in order`() async throws
  {
    let (gate, parts) = (CommitGate(), parts)
    async let worked: Void = parts.dispatcher.run()
    async let recorded: Void = parts.record(when: gate)
    for await _ in witness.prepared.stream { break }
    #expect(witness.seen.withLock { $0 }.isEmpty)
    #expect(try await place.store.reader.runs(limit: 9).isEmpty)
    gate.open(.success(()))
    try await recorded
    _ = await parts.dispatcher.wait(for: Aftermath.id(1))
    #expect(
      witness.seen.withLock { $0 } == ["claimed", "run started", "stage started", "program begins", "run ended"])
    #expect(try await place.store.reader.run(matching: .id(Aftermath.id(1))).state == .done)
    parts.dispatcher.drain(now: false)
    try await worked
  }

  @Test func `where its claim cannot be made durable no program begins, nothing is told, and the agent comes down`()
    async throws
  {
    let (gate, parts) = (CommitGate(), parts)
    let torn = StoreError.conflict("torn")
    async let worked: Result<Void, any Error> = Result.of { try await parts.dispatcher.run() }
    async let recorded: Result<Void, any Error> = Result.of { try await parts.record(when: gate) }
    for await _ in witness.prepared.stream { break }
    gate.open(.failure(torn))
    let (work, kept) = await (worked, recorded)
    #expect(throws: torn) { try kept.get() }
    #expect(throws: torn) { try work.get() }
    #expect(witness.seen.withLock { $0 }.isEmpty)
    #expect(try await place.store.reader.runs(limit: 9).isEmpty)
  }

  @Test func `one that the agent's stop overtakes ends on the record, after its claim`() async throws {
    let (gate, parts) = (CommitGate(), parts)
    async let recorded: Void = parts.record(when: gate)
    while parts.dispatcher.backlog == 0 { await Task.yield() }
    parts.dispatcher.drain(now: true)
    async let worked: Void = parts.dispatcher.run()
    while parts.dispatcher.active == 0 { await Task.yield() }
    gate.open(.success(()))
    _ = try await (recorded, worked)
    let run = try await place.store.reader.run(matching: .id(Aftermath.id(1)))
    #expect(run.state == .waiting)
    #expect(try await place.store.reader.attempts(of: run.id).map(\.state) == [.interrupted])
    #expect(!witness.seen.withLock { $0.contains("program begins") })
  }

  @Test func `one that is stopped while its program is held never began: no word on interruptions is followed`()
    async throws
  {
    let (gate, parts) = (CommitGate(), parts)
    async let recorded: Void = parts.record(when: gate)
    async let worked: Void = parts.dispatcher.run()
    for await _ in witness.prepared.stream { break }
    parts.dispatcher.drain(now: true)
    gate.open(.success(()))
    _ = try await (recorded, worked)
    let run = try await place.store.reader.run(matching: .id(Aftermath.id(1)))
    #expect(run.state == .waiting, "\(run)")
    #expect(try await place.store.reader.attempts(of: run.id).map(\.state) == [.interrupted])
    #expect(!witness.seen.withLock { $0.contains("program begins") })
  }

  @Test func `what was found out about a drop is still known when its run has waited`() async throws {
    let parts = parts
    witness.isGood.withLock { $0 = false }
    // too large to be hashed with its claim
    let run = Run(
      id: Aftermath.id(1), pipeline: "p", version: "d", trigger: .drop, drop: Drop(name: FileName("1.csv"), bytes: 1),
      created: Aftermath.noon)
    let recorded = try await place.store.claim([NewRun(run)])
    parts.dispatcher.add(recorded[0], priority: 0)
    async let worked: Void = parts.dispatcher.run()
    var parked: Run?
    while parked == nil {
      parked = parts.dispatcher.takeParked(run.id)
      await Task.yield()
    }
    #expect(parked?.drop?.sha256 == "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881")
    parts.dispatcher.drain(now: false)
    try await worked
  }

  @Test func `the time of a run begins when it is on the record`() async throws {
    let place = try await Aftermath(stages: [Self.stage], timeout: .seconds(2))
    let parts = try Self.parts(of: place, witness)
    let gate = CommitGate()
    async let recorded: Void = parts.record(when: gate)
    async let worked: Void = parts.dispatcher.run()
    for await _ in witness.prepared.stream { break }
    // a disk that takes longer than the run may
    try await ContinuousClock().sleep(for: .seconds(2.5))
    gate.open(.success(()))
    try await recorded
    _ = await parts.dispatcher.wait(for: Aftermath.id(1))
    #expect(try await place.store.reader.run(matching: .id(Aftermath.id(1))).state == .done)
    parts.dispatcher.drain(now: false)
    try await worked
  }
}

extension Result where Failure == any Error {
  fileprivate static func of(_ body: () async throws -> Success) async -> Self {
    do { return .success(try await body()) } catch { return .failure(error) }
  }
}
