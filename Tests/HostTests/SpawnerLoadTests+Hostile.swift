import Core
import Foundation
import Glibc
import Host
import TestSupport
import Testing

/// The short form of `bench/engine/hooks10k.py`, without an agent.
///
/// In the suite of those that run in a process of their own: two such at a time would block the whole pool.
extension SpawnerLoadTests {
  /// Ten thousand where slow tests are wanted.
  @Test(.timeLimit(.minutes(15)))
  func `P16 300 programs that hang, daemonise or ignore TERM leave no process, no zombie and no descriptor`() async {
    await #expect(processExitsWith: .success) {
      let many = ProcessInfo.processInfo.environment["PENSTOCK_SLOW_TESTS"] == nil ? 300 : 10_000
      let kinds = [
        "sleep 1000", "trap '' TERM HUP INT; while :; do sleep 1000; done",
        "setsid sh -c 'trap \"\" TERM; sleep 1000' & (setsid sleep 1000 &); exit 0",
        "setsid sleep 1000 & kill -STOP $$", "(setsid setsid sleep 1000 &) ; sh -m -c 'sleep 1000 & wait' 2>/dev/null",
      ]
      let fixture = try SpawnerFixture()
      let runner = fixture.runner
      let footprint = try await Footprint(fixture)
      let mark = "HOSTILE=\(UUID().uuidString)"
      let requests = kinds.map { script in
        fixture.shell(script).with {
          $0.environment["HOSTILE"] = String(mark.dropFirst("HOSTILE=".count))
          $0.timeout = .milliseconds(200)
          $0.grace = .milliseconds(100)
        }
      }
      let latest = try await withThrowingTaskGroup(of: Double.self) { group in
        var latest = 0.0
        for n in 0..<many {
          if n >= 32, let wall = try await group.next() { latest = max(latest, wall) }
          group.addTask { try await runner.run(requests[n % requests.count]).usage.wall }
        }
        for try await wall in group { latest = max(latest, wall) }
        return latest
      }
      // each result comes when the last process of its tree is gone
      try require(latest < 5.5, "one took \(latest) s")
      let left = ProcessTable.processes(marked: mark)
      try require(left.isEmpty, "left: \(left)")
      try await footprint.isLeft()
    }
  }
}
