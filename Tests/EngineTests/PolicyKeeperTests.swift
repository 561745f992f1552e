import Core
import Foundation
import Store
import Synchronization
import Testing

@testable import Engine

/// When a policy is taken back, and who is told.
@Suite(.timeLimit(.minutes(1))) struct PolicyKeeperTests {
  private static let stage = Stage(name: "train", program: ["x"], granularity: .auto)

  private func promoted(_ stages: [Stage] = [stage]) async throws -> (place: Aftermath, policy: Policy) {
    let place = try await Aftermath(stages: stages)
    let pipeline = try #require(place.book.version(of: "p")?.pipeline)
    let policy = try #require(
      try await place.store.promote(
        "p", ["train": .fine], trial: 3, basis: place.bench.definitions.basis(of: pipeline), reason: "r",
        at: Aftermath.noon))
    return (place, policy)
  }

  private func run(version: String) -> Run {
    Run(id: Aftermath.id(1), pipeline: "p", version: version, trigger: .manual, created: Aftermath.noon)
  }

  private func changed(_ name: String = "p") -> Pipeline {
    var stage = Self.stage
    stage.params = ["a": 1]
    return Pipeline(name: name, stages: [stage])
  }

  @Test func `it stands while the stages are the same, whatever else a new version has`() async throws {
    let (place, policy) = try await promoted()
    var stage = Self.stage
    stage.timeout = .seconds(9)
    let found = try await PolicyKeeper(bench: place.bench, book: place.book).find(
      for: run(version: "d"), Pipeline(name: "p", stages: [stage], timeout: .seconds(1)))
    #expect(found?.standing.verdict == policy && found?.demoted == nil)
  }

  @Test func `a change takes it back once, and the run that sees it is coarse`() async throws {
    let (place, _) = try await promoted()
    let keeper = PolicyKeeper(bench: place.bench, book: place.book)
    let found = try #require(try await keeper.find(for: run(version: "d"), changed()))
    #expect(found.demoted?.reason == "a parameter of stage `train` has changed")
    #expect(found.standing.opinion(on: "train")?.level == .coarse)
    let again = try #require(try await keeper.find(for: run(version: "d"), changed()))
    #expect(again.demoted == nil && again.standing == found.standing)
  }

  @Test func `a run on an older version takes nothing back, and is coarse itself`() async throws {
    let (place, policy) = try await promoted()
    let found = try #require(
      try await PolicyKeeper(bench: place.bench, book: place.book).find(for: run(version: "old"), changed()))
    #expect(found.demoted == nil && found.standing.opinion(on: "train") == nil)
    #expect(try await place.store.reader.policy(of: "p").verdict == policy)
  }

  @Test func `what was pinned and is gone counts for nothing`() async throws {
    let place = try await Aftermath(stages: [Self.stage])
    _ = try await place.store.pin("p", ["train": .fine, "gone": .off], basis: StageBasis(), at: Aftermath.noon)
    let found = try await PolicyKeeper(bench: place.bench, book: place.book).find(for: run(version: "d"), changed())
    #expect(found?.standing.levels == ["train": .fine])
  }

  @Test func `a pipeline that leaves nothing to decide asks nothing`() async throws {
    let (place, _) = try await promoted()
    let fixed = Pipeline(name: "p", stages: [Stage(name: "train", program: ["x"])])
    #expect(try await PolicyKeeper(bench: place.bench, book: place.book).find(for: run(version: "d"), fixed) == nil)
  }

  @Test func `a verdict without a run is told as part of the newest, and recorded with it`() async throws {
    let (place, policy) = try await promoted()
    let hook = HookRunner()
    var bench = place.bench
    bench.processes = hook
    bench.programs = hook
    let caller = VerdictCaller(bench: bench, book: place.book, shutdown: Cancellation())
    try await caller.tell(of: policy)
    #expect(hook.heard.isEmpty)
    try await place.runs([1: nil, 2: nil])
    try await caller.tell(of: policy)
    let told = try JSON(parsing: try #require(hook.heard.first))
    #expect(hook.heard.count == 1 && told["event"] == "on-verdict" && told["verdict"] == policy.json)
    #expect(told["run"]?["number"] == 2)
    #expect(try await place.store.reader.hookCalls(of: Aftermath.id(2)).map(\.event) == ["on-verdict"])
  }
}

/// One hook of every event, which allows and keeps what it was told.
private final class HookRunner: ProcessRunner, Programs {
  private let told = Mutex<[[UInt8]]>([])

  var heard: [[UInt8]] { told.withLock { $0 } }

  func run(_ request: ProgramRequest) async throws -> ProgramResult {
    told.withLock { $0.append(request.input) }
    return ProgramResult(
      termination: .exited(0), ending: .itself, usage: ResourceUsage(wall: 0, cpu: 0, peakRSS: nil), reply: [],
      replyIsCut: false)
  }

  func hooks(of event: String) -> [ProgramFile] { [ProgramFile(path: "/h", shown: "h")] }
  func resolve(_ program: String, hashing: Bool) -> ProgramFile { ProgramFile(path: program, shown: program) }
}
