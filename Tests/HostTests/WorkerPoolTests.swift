import Core
import Foundation
import Glibc
import Host
import Testing

/// Warm workers that do as they are told.
@Suite struct WorkerPoolTests {
  @Test(.timeLimit(.minutes(1))) func `one process answers one call after another`() async throws {
    try await WorkerFixture.with { (fixture) async throws in
      let program = fixture.python("reply(call, pid=os.getpid(), calls=calls, got=call['n'])")
      var pids: Set<Int> = []
      for n in 1...20 {
        let answer = try JSON(parsing: try await fixture.call(program, "{\"n\":\(n)}").reply)
        #expect(answer["calls"] == .integer(n))
        #expect(answer["got"] == .integer(n))
        if case .integer(let pid)? = answer["pid"] { pids.insert(pid) }
      }
      #expect(pids.count == 1)
    }
  }

  @Test(.timeLimit(.minutes(1))) func `a worker gets its arguments, its environment and its directory`() async throws {
    try await WorkerFixture.with { (fixture) async throws in
      let program = fixture.python("reply(call, env=os.environ.get('ONE'), cwd=os.getcwd())", environment: ["ONE": "1"])
      let answer = try JSON(parsing: try await fixture.call(program).reply)
      #expect(answer["env"] == "1")
      #expect(answer["cwd"] == .string(fixture.directory))
    }
  }

  @Test(.timeLimit(.minutes(1))) func `answers find their calls in whatever order they come`() async throws {
    try await WorkerFixture.with { (fixture) async throws in
      let program = fixture.python(
        """
        held = globals().setdefault('held', [])
        held.append(call)
        if len(held) == 50:
            for one in reversed(held): reply(one, n=one['n'])
        """, rules: WorkerRules(inFlight: 50, most: 1))
      let found = try await withThrowingTaskGroup(of: (Int, JSON?).self) { group in
        for n in 0..<50 { group.addTask { (n, try await fixture.ask(program, "{\"n\":\(n)}", for: "n")) } }
        return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
      }
      #expect(found.count == 50)
      for (n, answer) in found { #expect(answer == .integer(n)) }
    }
  }

  @Test(.timeLimit(.minutes(1))) func `many calls share as few workers as may be`() async throws {
    try await WorkerFixture.with { (fixture) async throws in
      let program = fixture.python("reply(call, pid=os.getpid())", rules: WorkerRules(most: 2))
      let pids = try await withThrowingTaskGroup(of: JSON?.self) { group in
        for _ in 0..<200 { group.addTask { try await fixture.ask(program, for: "pid") } }
        return try await group.reduce(into: [Int]()) { if case .integer(let pid)? = $1 { $0.append(pid) } }
      }
      #expect(pids.count == 200)
      #expect(Set(pids).count <= 2)
    }
  }

  @Test(.timeLimit(.minutes(1))) func `a large request and a large reply arrive whole`() async throws {
    try await WorkerFixture.with { (fixture) async throws in
      let program = fixture.python("reply(call, length=len(call['text']), back='y' * 1000000)")
      let text = String(repeating: "x", count: 4 << 20)
      let result = try await fixture.call(program, "{\"text\":\"\(text)\"}")
      #expect(!result.replyIsCut)
      let answer = try JSON(parsing: result.reply)
      #expect(answer["length"] == .integer(4 << 20))
      #expect(answer["back"]?.string?.count == 1_000_000)
    }
  }

  @Test(.timeLimit(.minutes(1))) func `lines of stderr are there when the reply is, each with its own call`()
    async throws
  {
    try await WorkerFixture.with { (fixture) async throws in
      let program = fixture.python("os.write(2, (f'one {calls}\\ntwo {calls}\\n').encode()); reply(call)")
      for n in 1...10 {
        let lines = Collected()
        _ = try await fixture.call(program) { $0.onLogLine = { lines.add($0) } }
        #expect(lines.values == ["one \(n)", "two \(n)"])
      }
    }
  }

  @Test(.timeLimit(.minutes(1))) func `a call is charged with what it used, and not with memory`() async throws {
    try await WorkerFixture.with { (fixture) async throws in
      let program = fixture.python(
        """
        end = time.process_time() + call['spin']
        while time.process_time() < end: pass
        reply(call)
        """)
      _ = try await fixture.call(program, "{\"spin\":0}")
      let busy = try await fixture.call(program, "{\"spin\":0.2}").usage
      #expect(busy.cpu > 0.19 && busy.cpu < 0.4, "\(busy)")
      #expect(busy.wall >= busy.cpu * 0.9)
      #expect(busy.peakRSS == nil)
      let idle = try await fixture.call(program, "{\"spin\":0}").usage
      #expect(idle.cpu < 0.05, "\(idle)")
    }
  }

  @Test(.timeLimit(.minutes(1))) func `what children of a worker used is charged too`() async throws {
    try await WorkerFixture.with { (fixture) async throws in
      let spin = "import time\\nwhile time.process_time() < 0.2: pass"
      let program = fixture.python(
        "import subprocess; subprocess.run([sys.executable, '-S', '-c', '\(spin)']); reply(call)")
      let usage = try await fixture.call(program).usage
      #expect(usage.cpu > 0.18, "\(usage)")
    }
  }

  @Test(
    .timeLimit(.minutes(1)),
    arguments: [WorkerRules(calls: 2), WorkerRules(age: .milliseconds(1)), WorkerRules(memory: 1 << 20)])
  func `a worker is replaced after its calls, its age or its memory`(rules: WorkerRules) async throws {
    try await WorkerFixture.with { (fixture) async throws in
      let program = fixture.python("reply(call, pid=os.getpid())", rules: rules)
      var pids: [JSON?] = []
      for _ in 0..<4 { pids.append(try await fixture.ask(program, for: "pid")) }
      let expected = rules.calls == 2 ? 2 : 4
      #expect(Set(pids.compactMap { $0?.double }).count == expected, "\(pids)")
      for case .integer(let pid)? in pids.dropLast(2) {
        try await eventually("worker \(pid) has ended") { kill(Int32(pid), 0) != 0 }
      }
    }
  }

  @Test(.timeLimit(.minutes(1))) func `a worker whose files changed is replaced, and its calls are not lost`()
    async throws
  {
    try await WorkerFixture.with { (fixture) async throws in
      let body = "os.write(2, b'up\\n'); time.sleep(call.get('wait', 0)); reply(call, pid=os.getpid())"
      let old = fixture.python(body, rules: WorkerRules(most: 1), files: "1")
      let new = fixture.python(body, rules: WorkerRules(most: 1), files: "2")
      let first = try await fixture.ask(old, for: "pid")
      let isUp = Counter()
      async let slow = fixture.call(old, "{\"wait\":0.5}") { $0.onLogLine = { _ in isUp.add(1) } }
      try await eventually("the old worker is at work") { isUp.value > 0 }
      let other = try await fixture.ask(new, for: "pid")
      #expect(try JSON(parsing: await slow.reply)["pid"] == first)
      #expect(other != first)
      #expect(try await fixture.ask(new, for: "pid") == other)
      guard case .integer(let pid)? = first else { return }
      try await eventually("the old worker has ended") { kill(Int32(pid), 0) != 0 }
    }
  }

  @Test(.timeLimit(.minutes(1))) func `a worker with nothing to do ends after its rest`() async throws {
    try await WorkerFixture.with(rest: .milliseconds(50)) { (fixture) async throws in
      let program = fixture.python("reply(call, pid=os.getpid())")
      guard case .integer(let pid)? = try await fixture.ask(program, for: "pid") else { return }
      try await eventually("worker \(pid) has ended") { kill(Int32(pid), 0) != 0 }
      #expect(try await fixture.ask(program, for: "pid") != .integer(pid))
    }
  }

  @Test(.timeLimit(.minutes(1))) func `P12 a worker has the descriptors 0, 1 and 2 and no others`() async throws {
    try await WorkerFixture.with { (fixture) async throws in
      let program = fixture.python("reply(call, fds=sorted(int(fd) for fd in os.listdir('/proc/self/fd'))[:-1])")
      #expect(try await fixture.ask(program, for: "fds") == [0, 1, 2])
    }
  }

  @Test(.timeLimit(.minutes(1))) func `an agent that stops leaves no worker behind`() async throws {
    let fixture = try WorkerFixture(rest: .seconds(300))
    let mark = UUID().uuidString
    let idle = fixture.python("reply(call)", environment: ["PENSTOCK_TEST_MARK": mark])
    let deaf = fixture.python(
      "signal.signal(signal.SIGTERM, signal.SIG_IGN); reply(call); time.sleep(1000)",
      environment: ["PENSTOCK_TEST_MARK": mark])
    _ = try await fixture.call(idle)
    _ = try await fixture.call(deaf)
    #expect(ProcessTable.processes(marked: "PENSTOCK_TEST_MARK=\(mark)").count == 2)
    await fixture.pools.stop()
    await fixture.runner.stop()
    #expect(ProcessTable.processes(marked: "PENSTOCK_TEST_MARK=\(mark)") == [])
    await #expect(throws: RunnerStopped.self) { try await fixture.call(idle) }
  }
}
