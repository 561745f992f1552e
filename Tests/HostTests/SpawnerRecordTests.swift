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

  @Test(.timeLimit(.minutes(5))) func `what the agent was told leaves no exit record`() async throws {
    try await SpawnerFixture.with { fixture in
      let path = fixture.path("exit.json")
      for request in [fixture.shell("exit 6"), fixture.program("/no/such")] {
        _ = try await fixture.runner.run(request.with { $0.exitRecord = path })
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.directory) == [])
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
    #expect(record.termination(executable: "/bin/sh", directory: "/") == .signaled(SIGKILL))
    #expect(record.ended <= Date() && record.usage.wall > 0 && record.boot == Self.boot)
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
    #expect(agent.waitForSpawner() == 0)
  }
}
