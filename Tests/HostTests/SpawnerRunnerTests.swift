import Core
import Foundation
import Host
import Synchronization
import Testing

@Suite struct SpawnerRunnerTests {
  @Test(.timeLimit(.minutes(5))) func `a program gets its input and its reply comes back`() async throws {
    try await SpawnerFixture.with { fixture in
      let result = try await fixture.runner.run(
        fixture.program("/bin/cat").with { $0.input = Array("{\"api\":1}".utf8) })
      #expect(result.termination == .exited(0))
      #expect(result.ending == .itself)
      #expect(result.replyText == "{\"api\":1}")
      #expect(!result.replyIsCut)
    }
  }

  @Test(.timeLimit(.minutes(5)), arguments: [0, 1, 4095, 4096, 4097, 70_000, 2_000_000])
  func `input of any size arrives whole, and who does not read it is not disturbed`(size: Int) async throws {
    try await SpawnerFixture.with { fixture in
      let input = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
      let result = try await fixture.runner.run(fixture.shell("wc -c").with { $0.input = input })
      #expect(result.replyText.split(separator: "\n").first == "\(size)")
      let deaf = try await fixture.runner.run(fixture.shell("exit 3").with { $0.input = input })
      #expect(deaf.termination == .exited(3))
    }
  }

  @Test(.timeLimit(.minutes(5)), arguments: [0, 1, 2, 75, 126, 127, 255])
  func `P06 an exit code is told as it is`(code: Int32) async throws {
    try await SpawnerFixture.with { fixture in
      let result = try await fixture.runner.run(fixture.shell("exit \(code)"))
      #expect(result.termination == .exited(code))
    }
  }

  @Test(.timeLimit(.minutes(5)), arguments: [6, 9, 11, 15])
  func `P06 a signal is told as it is`(signal: Int32) async throws {
    try await SpawnerFixture.with { fixture in
      let result = try await fixture.runner.run(fixture.shell("kill -\(signal) $$"))
      #expect(result.termination == .signaled(signal))
      #expect(result.ending == .itself)
    }
  }

  @Test(.timeLimit(.minutes(5))) func `arguments, environment and directory arrive as given`() async throws {
    try await SpawnerFixture.with { fixture in
      let script = #"printf '%s|' "$@"; pwd; /usr/bin/env | /bin/grep -v -e ^PWD -e ^_= -e ^SHLVL"#
      let request = fixture.shell(script, "a b", "", "é\n").with { $0.environment = ["ONE": "1", "TWO": ""] }
      let result = try await fixture.runner.run(request)
      let lines = result.replyText.split(separator: "\n", omittingEmptySubsequences: false)
      #expect(lines.prefix(2) == ["a b||é", "|\(fixture.directory)"])
      #expect(lines.dropFirst(2).sorted() == ["", "ONE=1", "TWO="])
    }
  }

  @Test(.timeLimit(.minutes(5))) func `lines of stderr come in order, long ones in pieces`() async throws {
    try await SpawnerFixture.with { fixture in
      let lines = Mutex<[[UInt8]]>([])
      let script =
        "printf 'one\\n\\ntwo\\n' >&2; head -c 70000 /dev/zero | tr '\\0' x >&2; printf '\\nend' >&2"
      let result = try await fixture.runner.run(
        fixture.shell(script).with { $0.onLogLine = { line in lines.withLock { $0.append(line) } } })
      #expect(result.termination == .exited(0))
      let texts = lines.withLock { $0.map { String(decoding: $0, as: UTF8.self) } }
      #expect(texts.map(\.count) == [3, 0, 3, 65536, 70000 - 65536, 3])
      #expect(texts.first == "one")
      #expect(texts.last == "end")
    }
  }

  @Test(.timeLimit(.minutes(5))) func `a reply over its limit is cut, and the program goes on`() async throws {
    try await SpawnerFixture.with { fixture in
      let result = try await fixture.runner.run(
        fixture.shell("head -c 3000000 /dev/zero; exit 7").with { $0.replyLimit = 1000 })
      #expect(result.termination == .exited(7))
      #expect(result.reply.count == 1000)
      #expect(result.replyIsCut)
    }
  }

  @Test(.timeLimit(.minutes(5))) func `P07 a program may leave its input unread`() async throws {
    try await SpawnerFixture.with { fixture in
      let result = try await fixture.runner.run(
        fixture.shell("exec 0<&-; exit 3").with { $0.input = [UInt8](repeating: 7, count: 4 << 20) })
      #expect(result.termination == .exited(3))
    }
  }

  @Test(.timeLimit(.minutes(5))) func `4 MiB of input arrive whole`() async throws {
    try await SpawnerFixture.with { fixture in
      let result = try await fixture.runner.run(
        fixture.program("/usr/bin/wc", ["-c"]).with { $0.input = [UInt8](repeating: 7, count: 4 << 20) })
      #expect(result.replyText == "\(4 << 20)\n")
    }
  }

  @Test(.timeLimit(.minutes(5))) func `P12 a program has the descriptors 0, 1 and 2 and no others`()
    async throws
  {
    try await SpawnerFixture.with { fixture in
      // The 3 is the directory that ls itself reads.
      let result = try await fixture.runner.run(fixture.program("/bin/ls", ["/proc/self/fd"]))
      #expect(result.replyText == "0\n1\n2\n3\n")
    }
  }

  @Test(.timeLimit(.minutes(5))) func `a program begins with default signals and its own session`()
    async throws
  {
    try await SpawnerFixture.with { fixture in
      let script = "grep -E '^Sig(Blk|Ign)' /proc/self/status; cut -d' ' -f5,6 /proc/$$/stat; echo $$ $$"
      let result = try await fixture.runner.run(fixture.shell(script))
      let lines = result.replyText.split(separator: "\n").map(String.init)
      try #require(lines.count == 4)
      for line in lines.prefix(2) { #expect(line.hasSuffix("\t0000000000000000")) }
      // Group and session are field 5 and 6, proc(5).
      #expect(lines[2] == lines[3])
    }
  }

  @Test(.timeLimit(.minutes(5))) func `limits hold in the program`() async throws {
    try await SpawnerFixture.with { fixture in
      let limits = ResourceLimits(memory: 1 << 30, openFiles: 77, idle: true)
      let script = "ulimit -v; ulimit -n; ulimit -c; cut -d' ' -f41 /proc/$$/stat"
      let result = try await fixture.runner.run(fixture.shell(script).with { $0.limits = limits })
      // 5 is SCHED_IDLE.
      #expect(result.replyText == "\(1 << 20)\n77\n0\n5\n")
    }
  }

  @Test(.timeLimit(.minutes(5))) func `what a program used is its own and its descendants'`() async throws {
    try await SpawnerFixture.with { fixture in
      let small = try await fixture.runner.run(fixture.program("/bin/true"))
      #expect(try #require(small.usage.peakRSS) < 5 << 20)
      #expect(small.usage.cpu < 0.5)
      let script = "dd if=/dev/zero of=/dev/null bs=64M count=8 2>/dev/null; sleep 0.1"
      let large = try await fixture.runner.run(fixture.shell(script))
      #expect(try #require(large.usage.peakRSS) > 64 << 20)
      #expect(try #require(large.usage.peakRSS) < 100 << 20)
      #expect(large.usage.cpu > 0.01)
      #expect(large.usage.wall >= 0.1)
    }
  }
}
