import Core
import Foundation
import Host
import Store
import Synchronization
import Testing

@testable import Engine

@Suite struct ShortageTests {
  /// Has no room for the first programs.
  private final class Crowded: ProcessRunner {
    private let left: Mutex<Int>
    init(refusing count: Int) { left = Mutex(count) }

    func run(_ request: ProgramRequest) async throws -> ProgramResult {
      let isCrowded = left.withLock { left in
        left -= 1
        return left >= 0
      }
      return ProgramResult(
        termination: isCrowded ? .unstarted("no descriptor is left") : .exited(0), ending: .itself,
        usage: ResourceUsage(wall: 0, cpu: 0, peakRSS: nil), reply: [], replyIsCut: false, isShortage: isCrowded)
    }
  }

  private struct Impatient: Clock {
    let minimumResolution = Duration.zero
    var now: ContinuousClock.Instant { ContinuousClock.now }
    func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {
      try Task.checkCancellation()
    }
  }

  private func bench(_ processes: any ProcessRunner, said: @escaping @Sendable (Event) -> Void) throws -> Workbench {
    let home = FileManager.default.temporaryDirectory.path + "/penstock-" + UUID().uuidString
    for directory in ["inbox", "var"] {
      try FileManager.default.createDirectory(atPath: home + "/" + directory, withIntermediateDirectories: true)
    }
    defer { try? FileManager.default.removeItem(atPath: home) }
    return Workbench(
      store: try StateStore.inMemory(), spool: try WorkspaceSpool(inboxPath: home + "/inbox", varPath: home + "/var"),
      processes: processes, programs: HostPrograms(home: home, path: "/bin"), settings: Settings(), home: home,
      boot: "b", environment: [:], clock: Impatient(), now: { Date() }, random: { SystemRandomNumberGenerator() },
      report: said)
  }

  private func request(_ cancellation: Cancellation? = nil) -> ProgramRequest {
    ProgramRequest(
      executable: "/bin/true", arguments: ["true"], environment: [:], directory: "/", cancellation: cancellation)
  }

  @Test(.timeLimit(.minutes(5))) func `a program for which there is no room is waited for, and that is said`()
    async throws
  {
    let said = Mutex<[String]>([])
    let bench = try bench(Crowded(refusing: 3)) { event in
      said.withLock { $0.append(LogWords.record(of: event).message) }
    }
    let result = try await bench.work(request(), of: Nouns.run(), stage: "a")
    #expect(result.termination == .exited(0))
    #expect(said.withLock { $0 } == Array(repeating: "the machine has no room for a program; trying again", count: 3))
  }

  @Test(.timeLimit(.minutes(5))) func `one that is not wanted any more is not waited for`() async throws {
    let bench = try bench(Crowded(refusing: .max)) { _ in }
    let cancellation = Cancellation()
    cancellation.cancel(.shutdown)
    let result = try await bench.work(request(cancellation), of: Nouns.run(), stage: "a")
    #expect(result.ending == .cancelled)
  }
}
