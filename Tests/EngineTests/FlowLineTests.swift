import Core
import Foundation
import Host
import Store
import Synchronization
import Testing

@testable import Engine

/// The flow by itself, with calls that a test answers.
@Suite(.timeLimit(.minutes(5))) struct FlowLineTests {
  /// Answers by a closure, and remembers who was called.
  private final class Caller: ItemCalling {
    let seen = Mutex<[String]>([])
    let answer: @Sendable (Item) async -> StageOutcome

    init(_ answer: @escaping @Sendable (Item) async -> StageOutcome = { _ in .fine }) { self.answer = answer }

    var isStaying: Bool { false }

    func call(_ items: [Item], lane: Int) async throws -> ItemAnswer {
      seen.withLock { $0.append(items.map(\.id).joined(separator: "+")) }
      var outcomes: [StageOutcome] = []
      for item in items { outcomes.append(await answer(item)) }
      return ItemAnswer(outcomes, usage: ResourceUsage(wall: 0, cpu: 0.5, peakRSS: nil))
    }

    var calls: [String] { seen.withLock { $0 } }
  }

  private let bench: Workbench
  private let run = Run(id: Nouns.id(), pipeline: "p", version: nil, trigger: .manual, created: Nouns.noon)

  init() async throws {
    let home = FileManager.default.temporaryDirectory.path + "/penstock-" + UUID().uuidString
    for directory in ["inbox", "var"] {
      try FileManager.default.createDirectory(atPath: home + "/" + directory, withIntermediateDirectories: true)
    }
    defer { try? FileManager.default.removeItem(atPath: home) }
    bench = Workbench(
      store: try StateStore.inMemory(), spool: try WorkspaceSpool(inboxPath: home + "/inbox", varPath: home + "/var"),
      processes: NoProcesses(), programs: HostPrograms(home: home, path: "/bin"), settings: Settings(), home: home,
      boot: "b", environment: [:], clock: ContinuousClock(), now: { Date() }, random: { SystemRandomNumberGenerator() },
      report: { _ in })
    _ = try await bench.store.claim([NewRun(run)])
  }

  private struct NoProcesses: ProcessRunner {
    func run(_ request: ProgramRequest) async throws -> ProgramResult { throw HostError("no process is run here") }
  }

  /// Takes `count` items through stages; each is its `each` and its caller.
  private func flow(
    _ count: Int, _ stages: [(Each, Caller)], cancellation: Cancellation = Cancellation(), gate: FlowGate = FlowGate()
  ) async throws -> [FlowTally.Count] {
    let line = stages.enumerated().map { place, stage in
      FlowStage(
        Stage(name: "s\(place)", program: ["x"], each: stage.0), stage.0, place: place, sample: nil, caller: stage.1)
    }
    try await bench.store.openItems(of: run.id, stages: line.map(\.name), total: count)
    let flow = FlowLine(
      bench: bench, run: run, stages: line, gate: gate, cancellation: cancellation, onFailure: { _, _ in })
    try await flow.run { flow in
      for index in 0..<count {
        guard await flow.offer(Item(index: index, id: "q\(index)", data: "{}"), at: 0) else { return }
      }
    }
    return line.map(\.tally.count)
  }

  @Test func `every item goes through every stage, and all of it is recorded when the flow ends`() async throws {
    let (first, second) = (Caller(), Caller())
    let counts = try await flow(300, [(Each(concurrency: 7), first), (Each(concurrency: 3), second)])
    #expect(counts.map(\.ok) == [300, 300] && counts.map(\.calls) == [300, 300] && counts[0].cpu == 150)
    for caller in [first, second] { #expect(Set(caller.calls).count == 300) }
    let progress = try await bench.store.reader.itemProgress(of: run.id)
    #expect(progress["s0"]?.ok == 300 && progress["s1"]?.ok == 300)
  }

  @Test func `an item that failed does not come to the next stage`() async throws {
    let second = Caller()
    let counts = try await flow(
      20, [(Each(), Caller { $0.id == "q4" ? .failure(.failed, "no") : .fine }), (Each(), second)])
    #expect(counts.map(\.failed) == [1, 0] && counts.map(\.entered) == [20, 19])
    #expect(!second.calls.contains("q4"))
    #expect(counts[0].complaint(Each()) == "1 of 20 items failed: `q4`: no")
  }

  @Test func `a stage that stands still holds the one before it back`() async throws {
    let gate = FlowGate()
    let first = Caller()
    // never answers before the flow is closed
    let second = Caller { _ in
      let bell = Bell()
      let token = gate.calls.listen { _ in bell.ring() }
      await bell.wait(atMost: nil, on: ContinuousClock())
      gate.calls.forget(token)
      return .failure(.cancelled, "cancelled", retry: .never)
    }
    let most = 2 + 1 + FlowSegment(stages: 1..<2, lanes: 1, batch: 1).bound
    async let counts = flow(1000, [(Each(concurrency: 2), first), (Each(concurrency: 1), second)], gate: gate)
    try await untilTrue { first.calls.count == most }
    // whatever else could come through would have come by now: its lanes are free
    for _ in 0..<100 { await Task.yield() }
    #expect(first.calls.count == most && second.calls.count == 1)
    gate.end(.person)
    #expect(try await counts[1].ok == 0)
  }

  @Test func `calls are begun no faster than the rate, retries too`() async throws {
    let begun = ContinuousClock.now
    let caller = Caller { _ in .failure(.failed, "later", retry: .asked) }
    let retry = RetryPolicy(attempts: 3, backoff: .zero)
    let counts = try await flow(3, [(Each(concurrency: 3, rate: 40, retry: retry), caller)])
    #expect(counts[0].calls == 9 && counts[0].failed == 3)
    #expect(ContinuousClock.now - begun >= .milliseconds(200))
  }

  @Test func `a batch is as large as it may be, and only what failed of it is tried again`() async throws {
    let caller = Caller { $0.id == "q2" ? .failure(.failed, "no") : .fine }
    let each = Each(concurrency: 1, batch: 4, retry: RetryPolicy(attempts: 2, backoff: .zero))
    let counts = try await flow(6, [(each, caller)])
    #expect(caller.calls == ["q0+q1+q2+q3", "q2", "q4+q5"])
    #expect(counts[0].ok == 5 && counts[0].failed == 1)
  }

  @Test func `large batches keep all lanes at work`() async throws {
    // the first call ends when the second has begun
    let bell = Bell()
    let isFirst = Mutex(true)
    let caller = Caller { item in
      guard item.id == "q0" || item.id == "q200" else { return .fine }
      let waits = isFirst.withLock { isFirst in
        defer { isFirst = false }
        return isFirst
      }
      if waits { await bell.wait(atMost: nil, on: ContinuousClock()) } else { bell.ring() }
      return .fine
    }
    let counts = try await flow(400, [(Each(concurrency: 2, batch: 200), caller)])
    #expect(counts[0].ok == 400 && counts[0].calls == 2)
  }

  @Test func `a call whose answer is that it was cancelled is not recorded`() async throws {
    let cancellation = Cancellation()
    let caller = Caller { item in
      if item.id == "q3" { cancellation.cancel(.person) }
      return item.id == "q3" ? .failure(.cancelled, "cancelled", retry: .never) : .fine
    }
    let counts = try await flow(50, [(Each(concurrency: 1), caller)], cancellation: cancellation)
    #expect(caller.calls == ["q0", "q1", "q2", "q3"])
    #expect(counts[0].ok == 3 && counts[0].failed == 0)
    #expect(try await bench.store.reader.items(of: run.id, stage: "s0", limit: 99).map(\.id) == ["q0", "q1", "q2"])
  }

  private func untilTrue(_ condition: () -> Bool) async throws {
    while !condition() { try await Task.sleep(for: .milliseconds(2)) }
  }
}

extension StageOutcome {
  fileprivate static var fine: StageOutcome {
    StageOutcome(state: .ok, reason: nil, retry: .never, reply: StageReply())
  }
}
