import CSystem
import Core
import Foundation
import Glibc
@testable import Host
import TestSupport
import Testing

@Suite struct SpawnerRecordTests {
  private static let boot = (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8))?
    .trimmingCharacters(in: .whitespacesAndNewlines)

  @Test(.timeLimit(.minutes(5))) func `an exit record says what the result says`() async throws {
    try await SpawnerFixture.with { fixture in
      let path = fixture.path("exit.json")
      let before = Date()
      let result = try await fixture.runner.run(fixture.shell("exit 6").with { $0.exitRecord = path })
      let record = try #require(try ExitRecord.read(at: path))
      #expect(record.ending == .itself)
      #expect(record.termination(executable: "/bin/sh", directory: "/") == .exited(6))
      #expect(abs(record.usage.wall - result.usage.wall) < 1e-6)
      #expect(abs(record.usage.cpu - result.usage.cpu) < 1e-6)
      #expect(record.usage.peakRSS == result.usage.peakRSS)
      #expect(record.ended >= before.addingTimeInterval(-0.001))
      #expect(record.ended <= Date())
      #expect(record.boot == Self.boot)
      let attributes = try FileManager.default.attributesOfItem(atPath: path)
      #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
      #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.directory) == ["exit.json"])
    }
  }

  @Test(.timeLimit(.minutes(5))) func `a timeout and a failed start are recorded too`() async throws {
    try await SpawnerFixture.with { fixture in
      let path = fixture.path("exit.json")
      let slow = fixture.shell("sleep 1000").with {
        $0.timeout = .milliseconds(100)
        $0.exitRecord = path
      }
      _ = try await fixture.runner.run(slow)
      let timeout = try #require(try ExitRecord.read(at: path))
      #expect(timeout.ending == .timeout)
      #expect(timeout.termination == .success(.signaled(SIGTERM)))
      _ = try await fixture.runner.run(fixture.program("/no/such").with { $0.exitRecord = path })
      let unstarted = try #require(try ExitRecord.read(at: path))
      #expect(unstarted.termination == .failure(LaunchFailure(step: .execute, code: ENOENT)))
    }
  }

  @Test func `no exit record is nil, and half of one is an error`() throws {
    let fixture = try SpawnerFixture()
    #expect(try ExitRecord.read(at: fixture.path("none")) == nil)
    let half = try fixture.file("half", "{\"api\":1,\"boot\"")
    #expect(throws: DecodingError.self) { try ExitRecord.read(at: half) }
  }

  @Test(.timeLimit(.minutes(5))) func `P14 when the agent dies all its programs end, and leave a record`()
    async throws
  {
    let fixture = try SpawnerFixture()
    let agent = try BareAgent()
    let mark = "PENSTOCK_TEST_MARK=\(UUID().uuidString)"
    let path = fixture.path("exit.json")
    let fifo = fixture.path("up")
    try #require(mkfifo(fifo, 0o600) == 0)
    let request = fixture.shell(
      "setsid sh -c 'trap \"\" TERM; echo up >up; sleep 1000' & trap '' TERM; wait; sleep 1000")
    try agent.run(
      request.with {
        $0.environment["PENSTOCK_TEST_MARK"] = String(mark.dropFirst("PENSTOCK_TEST_MARK=".count))
        $0.exitRecord = path
      })
    // Blocks until the setsid grandchild is up.
    let up = Descriptor(owning: open(fifo, O_RDONLY))
    var byte: UInt8 = 0
    #expect(read(up.number, &byte, 1) == 1)
    #expect(!ProcessTable.processes(marked: mark).isEmpty)
    let clock = ContinuousClock()
    let died = clock.now
    agent.die()
    while try ExitRecord.read(at: path) == nil { try await Task.sleep(for: .milliseconds(2)) }
    // a second on a quiet machine; the program itself would sleep for 1000
    #expect(clock.now - died < .seconds(30))
    #expect(ProcessTable.processes(marked: mark) == [])
    let record = try #require(try ExitRecord.read(at: path))
    #expect(record.ending == .abandoned)
    #expect(record.termination == .success(.signaled(SIGKILL)))
    #expect(agent.waitForSpawner() == 0)
  }
}
