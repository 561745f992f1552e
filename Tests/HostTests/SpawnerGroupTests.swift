import Core
import Foundation
import Glibc
import TestSupport
import Testing

@testable import Host

/// Control groups, where this machine lets us make some.
@Suite(.serialized) struct SpawnerGroupTests {
  /// A directory of the tree of version 2 that is ours for one test; `nil` where none can be made.
  private static func tree() -> String? {
    guard let own = ControlGroups.directory(ControlGroups.own()) else { return nil }
    let path = own + "/penstock-test-" + UUID().uuidString
    return mkdir(path, 0o755) == 0 ? path : nil
  }

  private static let canMake = {
    guard let path = tree() else { return false }
    rmdir(path)
    return true
  }()

  private func with(_ body: (SpawnerFixture, SpawnerRunner, String) async throws -> Void) async throws {
    let tree = try #require(Self.tree())
    defer { rmdir(tree) }
    let fixture = try SpawnerFixture()
    let runner = SpawnerRunner(spawner: try fixture.spawner, reactor: fixture.reactor, groups: tree)
    do { try await body(fixture, runner, tree) } catch {
      await runner.stop()
      throw error
    }
    await runner.stop()
    // an end that is quick leaves one that is not empty yet
    try await eventually("the groups are gone") {
      for name in Self.groups(of: tree) { rmdir(tree + "/" + name) }
      return Self.groups(of: tree).isEmpty
    }
  }

  private static func groups(of tree: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: tree)) ?? []
    return names.filter { $0.hasPrefix("keeper-") }
  }

  @Test(.timeLimit(.minutes(2)), .enabled(if: canMake, "no control group can be made here"))
  func `P02 a program runs in a group of its own from its first moment, and the group goes with its keeper`()
    async throws
  {
    try await with { fixture, runner, tree in
      mkdir(tree + "/keeper-1", 0o755)
      let first = try await runner.run(fixture.shell("cat /proc/self/cgroup; exit 7"))
      #expect(first.termination == .exited(7))
      let name = (tree as NSString).lastPathComponent
      #expect(first.replyText.contains("/\(name)/keeper-"), "\(first.replyText)")
      // what an earlier spawner left
      #expect(!Self.groups(of: tree).contains("keeper-1"))
      let missing = try await runner.run(fixture.program("/no/such/program"))
      #expect(missing.unstarted == "cannot start `/no/such/program`: there is no such file")
      #expect(try await runner.run(fixture.program("/bin/true")).termination == .exited(0))
    }
  }

  @Test(.timeLimit(.minutes(2)), .enabled(if: canMake, "no control group can be made here"))
  func `P02 P13 a storm of forks is killed at once by its group`() async throws {
    try await with { fixture, runner, tree in
      let mark = "STORM=\(UUID().uuidString)"
      let request = fixture.program("/usr/bin/python3", ["-c", SpawnerLimitTests.storm]).with {
        $0.environment["STORM"] = String(mark.dropFirst("STORM=".count))
        $0.timeout = .seconds(1)
        $0.grace = .milliseconds(100)
      }
      let result = try await runner.run(request)
      #expect(result.ending == .timeout && result.usage.wall < 10)
      #expect(ProcessTable.processes(marked: mark).isEmpty)
    }
  }

  @Test(.timeLimit(.minutes(2)), .enabled(if: canMake, "no control group can be made here"))
  func `P02 the group of a keeper that was killed is cleared away with all that is in it`() async throws {
    try await with { fixture, runner, tree in
      let mark = "KILLED=\(UUID().uuidString)"
      let request = fixture.shell("setsid sleep 1000 & (setsid sleep 1000 &); kill -9 $PPID; sleep 1000").with {
        $0.environment["KILLED"] = String(mark.dropFirst("KILLED=".count))
      }
      let result = try await runner.run(request)
      #expect(result.unstarted?.contains("was killed by signal 9") == true)
      try await eventually("nobody is left") { ProcessTable.processes(marked: mark).isEmpty }
    }
  }

  @Test func `a tree of groups is used only where it was given to us`() throws {
    let mounts = """
      25 1 0:23 / /sys/fs/cgroup/pids rw shared:7 - cgroup cgroup rw,pids
      26 1 0:24 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate
      """
    func directory(_ groups: String) -> String? { ControlGroups.directory((groups: groups, mounts: mounts)) }
    #expect(directory("0::/system.slice/penstock.service\n") == "/sys/fs/cgroup/system.slice/penstock.service")
    #expect(directory("9:pids:/x\n0::/\n") == "/sys/fs/cgroup")
    #expect(directory("9:pids:/x\n") == nil)
    #expect(ControlGroups.directory((groups: "0::/a\n", mounts: "25 1 0:23 / /x rw - cgroup cgroup rw\n")) == nil)
    let own = (groups: "0::/\n", mounts: mounts)
    #expect(ControlGroups.given(environment: ["PENSTOCK_CGROUP": ""], own: own) == nil)
    #expect(ControlGroups.given(environment: ["PENSTOCK_CGROUP": "/tmp"], own: own) == nil)
    #expect(ControlGroups.given(environment: [:], own: ControlGroups.own()) == nil, "nobody delegated this one")
  }
}
