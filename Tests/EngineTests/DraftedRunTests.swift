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

    func run(_ request: ProgramRequest) async throws -> ProgramResult {
      prepared.continuation.yield()
      try await request.permit?.given()
      note("program begins")
      return Nouns.result(reply: #"{"status":"ok"}"#)
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

  init() async throws {
    place = try await Aftermath(stages: [Stage(name: "s", program: ["/bin/true"], timeout: .seconds(9))])
    var bench = place.bench
    bench.processes = witness
    bench.report = { [witness] event in
      switch event.kind {
      case .dropClaimed: witness.note("claimed")
      case .runStarted: witness.note("run started")
      case .stageStarted: witness.note("stage started")
      case .runEnded: witness.note("run ended")
      default: break
      }
    }
    let dispatcher = Dispatcher(bench: bench, book: place.book, filer: Filer(bench: bench) {}, monotonic: { .zero }) {}
    parts = Parts(
      bench: bench, dispatcher: dispatcher,
      recorder: ClaimRecorder(bench: bench, book: place.book, dispatcher: dispatcher),
      pipeline: place.book.version(of: "p")?.pipeline)
    try place.work(1, [FileName("1.csv")])
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
}

extension Result where Failure == any Error {
  fileprivate static func of(_ body: () async throws -> Success) async -> Self {
    do { return .success(try await body()) } catch { return .failure(error) }
  }
}
