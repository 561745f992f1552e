import Core
import Foundation
import Host
import Store
import Synchronization
import Testing

@testable import Engine

/// Promise 2: never an execution without a record.
@Suite(.timeLimit(.minutes(5))) struct RecordingOrderTests {
  /// Says when it has prepared a program and when it begins one.
  private final class Watched: ProcessRunner {
    let said = Mutex<[String]>([])
    let prepared = AsyncStream<Void>.makeStream()

    func run(_ request: ProgramRequest) async throws -> ProgramResult {
      said.withLock { $0.append("prepared") }
      prepared.continuation.yield()
      try await request.permit?.given()
      said.withLock { $0.append("begun") }
      return Nouns.result()
    }
  }

  /// What time it is, as the test says.
  private final class Time: Sendable {
    private let moment = Mutex(Nouns.noon)

    var now: Date { moment.withLock { $0 } }

    func pass(_ seconds: TimeInterval) { moment.withLock { $0 += seconds } }
  }

  private let time = Time()

  private func bench(_ processes: any ProcessRunner, _ store: StateStore, home: String) throws -> Workbench {
    for directory in ["inbox", "var"] {
      try FileManager.default.createDirectory(atPath: home + "/" + directory, withIntermediateDirectories: true)
    }
    return Workbench(
      store: store, spool: try WorkspaceSpool(inboxPath: home + "/inbox", varPath: home + "/var"),
      processes: processes, programs: HostPrograms(home: home, path: "/bin"), settings: Settings(), home: home,
      boot: Nouns.boot, environment: [:], clock: ContinuousClock(), now: { [time] in time.now },
      random: { SystemRandomNumberGenerator() }, report: { _ in })
  }

  @Test func `a program is prepared beside the record of its attempt, and begins after it`() async throws {
    let home = FileManager.default.temporaryDirectory.path + "/penstock-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: home) }
    let store = try StateStore.inMemory()
    let runner = Watched()
    let bench = try bench(runner, store, home: home)
    var wish = Nouns.run()
    wish.version = nil
    let run = try await store.claim([NewRun(wish)])[0]
    let gate = CommitGate()
    var other = Nouns.run(2)
    other.version = nil
    let (written, isWritten) = AsyncStream<Void>.makeStream()
    store.whenWritten { isWritten.finish() }
    async let claim = store.claim([NewRun(other)], when: gate)
    // what comes now is not written before the gate opens
    for await _ in written {}
    var attempt = Nouns.attempt("a", 1, .running)
    attempt.ended = nil
    let recording = try store.begin(Step(run: run.id, at: Nouns.noon, opened: [attempt]))
    let request = ProgramRequest(executable: "/bin/true", arguments: ["true"], environment: [:], directory: "/")
    async let result = bench.waiting(for: recording).work(request, of: run, stage: "a")
    for await _ in runner.prepared.stream { break }
    #expect(runner.said.withLock { $0 } == ["prepared"])
    gate.open(.success(()))
    _ = try await (claim, result)
    #expect(runner.said.withLock { $0 } == ["prepared", "begun"])
    #expect(try await store.reader.attempts(of: run.id).map(\.stage) == ["a"])
  }

  @Test func `what was prepared for a record that took long is made anew, for it tells a deadline`() async throws {
    let home = FileManager.default.temporaryDirectory.path + "/penstock-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: home) }
    let runner = Watched()
    let bench = try bench(runner, try StateStore.inMemory(), home: home)
    let recording = Permit()
    let request = ProgramRequest(executable: "/bin/true", arguments: ["true"], environment: [:], directory: "/")
    let made = Mutex(0)
    let work = { @Sendable () async throws -> Void in
      _ = try await bench.waiting(for: recording).work(request, of: Nouns.run(), stage: "a") {
        made.withLock { $0 += 1 }
        return request
      }
    }
    async let late: Void = work()
    for await _ in runner.prepared.stream { break }
    time.pass(60)
    recording.settle(.success(()))
    try await late
    #expect(made.withLock { $0 } == 1)
    #expect(runner.said.withLock { $0 } == ["prepared", "prepared", "begun"])
    // one that comes when the record is there waits for nothing
    try await work()
    #expect(made.withLock { $0 } == 1)
    #expect(runner.said.withLock { $0 }.count == 5)
  }

  @Test func `where the record is refused no program begins`() async throws {
    let home = FileManager.default.temporaryDirectory.path + "/penstock-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: home) }
    let store = try StateStore.inMemory()
    let runner = Watched()
    let bench = try bench(runner, store, home: home)
    // nobody claimed this run
    let recording = try store.begin(Step(run: Nouns.id(), at: Nouns.noon, opened: [Nouns.attempt("a", 1, .running)]))
    let request = ProgramRequest(executable: "/bin/true", arguments: ["true"], environment: [:], directory: "/")
    await #expect(throws: StoreError.self) {
      _ = try await bench.waiting(for: recording).work(request, of: Nouns.run(), stage: "a")
    }
    #expect(runner.said.withLock { $0 } == ["prepared"])
  }
}
