import Core
import Foundation
import Glibc
import Host
import Testing

/// Workers that die, hang, or write what is no reply.
@Suite struct WorkerFaultTests {
  private static let mark = "PENSTOCK_TEST_MARK"

  @Test(.timeLimit(.minutes(1))) func `P06 a worker that dies is started anew, and no request is lost`() async throws {
    try await WorkerFixture.with { (fixture) async throws in
      let program = fixture.python(
        """
        if call['n'] % 7 == 0 and once(f"died-{call['n']}"): os.kill(os.getpid(), 9)
        reply(call, n=call['n'])
        """, rules: WorkerRules(inFlight: 4, most: 2))
      let found = try await withThrowingTaskGroup(of: (Int, JSON?).self) { group in
        for n in 1...40 { group.addTask { (n, try await fixture.ask(program, "{\"n\":\(n)}", for: "n")) } }
        return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
      }
      #expect(found.count == 40)
      for (n, answer) in found { #expect(answer == .integer(n)) }
    }
  }

  @Test(.timeLimit(.minutes(1))) func `P06 a worker that dies of a request is tried three times`() async throws {
    try await WorkerFixture.with { (fixture) async throws in
      let program = fixture.python(
        """
        open('starts', 'a').write('x')
        os.write(2, b'this is why\\n')
        os.kill(os.getpid(), 9)
        """)
      let lines = Collected()
      let result = try await fixture.call(program) { $0.onLogLine = { lines.add($0) } }
      #expect(result.termination == .signaled(9))
      #expect(result.ending == .itself)
      #expect(result.trouble == nil)
      #expect(lines.values == ["this is why", "this is why", "this is why"])
      #expect(try String(contentsOfFile: fixture.directory + "/starts", encoding: .utf8) == "xxx")
    }
  }

  @Test(.timeLimit(.minutes(1)), arguments: [2, 75])
  func `a worker that says no other try will help is believed`(code: Int32) async throws {
    try await WorkerFixture.with { (fixture) async throws in
      let program = fixture.python("open('starts', 'a').write('x'); sys.exit(\(code))")
      #expect(try await fixture.call(program).termination == .exited(code))
      #expect(try String(contentsOfFile: fixture.directory + "/starts", encoding: .utf8) == "x")
    }
  }

  @Test(.timeLimit(.minutes(1))) func `a worker that ends without an answer has not succeeded`() async throws {
    try await WorkerFixture.with { (fixture) async throws in
      let result = try await fixture.call(fixture.shell("read line"))
      #expect(result.trouble == "the worker ended (exit 0) before it answered")
      // half a line is none
      let half = try await fixture.call(fixture.shell("read line; printf '{\"id\":1}'"))
      #expect(half.trouble == "the worker ended (exit 0) before it answered")
    }
  }

  @Test(.timeLimit(.minutes(1))) func `P08 a worker that cannot be started says why`() async throws {
    try await WorkerFixture.with { (fixture) async throws in
      var program = fixture.shell("")
      program.executable = fixture.directory + "/missing"
      guard case .unstarted(let words) = try await fixture.call(program).termination else {
        Issue.record("it started")
        return
      }
      #expect(words.contains("missing"), "\(words)")
    }
  }

  @Test(.timeLimit(.minutes(1))) func `P01 P02 a call that takes too long ends the whole tree of its worker`()
    async throws
  {
    try await WorkerFixture.with { (fixture) async throws in
      let mark = UUID().uuidString
      let program = fixture.python(
        """
        if call.get('hang'):
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            os.system("setsid sleep 1000 & sleep 1000 &")
            time.sleep(1000)
        reply(call, pid=os.getpid())
        """, rules: WorkerRules(most: 1), environment: [Self.mark: mark])
      let before = try await fixture.ask(program, for: "pid")
      let result = try await fixture.call(program, "{\"hang\":true}") { $0.timeout = .milliseconds(500) }
      #expect(result.ending == .timeout)
      #expect(result.termination == .signaled(SIGKILL))
      #expect(result.usage.wall >= 0.5)
      #expect(ProcessTable.processes(marked: "\(Self.mark)=\(mark)") == [])
      let after = try await fixture.ask(program, for: "pid")
      #expect(after != nil && after != before)
    }
  }

  @Test(.timeLimit(.minutes(1))) func `P01 calls beside one that takes too long are sent to another worker`()
    async throws
  {
    try await WorkerFixture.with { (fixture) async throws in
      let program = fixture.python(
        """
        if call.get('hang'): time.sleep(1000)
        globals().setdefault('held', []).append(call)
        if len(held) == call['of']:
            for one in held: reply(one, pid=os.getpid())
        """, rules: WorkerRules(inFlight: 4, most: 1))
      async let one = fixture.ask(program, "{\"of\":2}", for: "pid")
      async let hung = fixture.call(program, "{\"hang\":true}") { $0.timeout = .milliseconds(500) }
      async let two = fixture.ask(program, "{\"of\":2}", for: "pid")
      #expect(try await hung.ending == .timeout)
      let answers = try await (one, two)
      #expect(answers.0 != nil && answers.0 == answers.1)
    }
  }

  @Test(.timeLimit(.minutes(1))) func `a call is cancelled, and its worker's tree ends`() async throws {
    try await WorkerFixture.with { (fixture) async throws in
      let mark = UUID().uuidString
      let program = fixture.python(
        """
        os.system("setsid sleep 1000 &")
        os.write(2, b'up\\n')
        time.sleep(1000)
        """, rules: WorkerRules(most: 1), environment: [Self.mark: mark])
      let (cancellation, waiting) = (Cancellation(), Cancellation())
      async let first = fixture.call(program) {
        $0.cancellation = cancellation
        $0.onLogLine = { line in
          if line == Array("up".utf8) { waiting.cancel(.person) }
        }
      }
      async let second = fixture.call(program) {
        $0.cancellation = waiting
        $0.onLogLine = { _ in waiting.cancel(.person) }
      }
      #expect(try await second.ending == .cancelled)
      cancellation.cancel(.person)
      #expect(try await first.ending == .cancelled)
      #expect(ProcessTable.processes(marked: "\(Self.mark)=\(mark)") == [])
    }
  }

  @Test(.timeLimit(.minutes(1)), arguments: ["ready", "{}", "[1]", "{\\\"id\\\":4711}"])
  func `P05 a line that is no reply fails the call, and ends the worker`(line: String) async throws {
    try await WorkerFixture.with { (fixture) async throws in
      let program = fixture.python(
        """
        if call.get('bad'): os.write(1, b"\(line)\\n")
        reply(call, pid=os.getpid())
        """, rules: WorkerRules(most: 1))
      let before = try await fixture.ask(program, for: "pid")
      let result = try await fixture.call(program, "{\"bad\":true}")
      // its own answer came right after, and may have been read in time
      if let trouble = result.trouble {
        #expect(trouble.hasPrefix("is no JSON object") || trouble.hasPrefix("has the id 4711"), "\(trouble)")
        #expect(
          result.troubleInWords?.hasPrefix("bad reply: `\(String(decoding: result.reply, as: UTF8.self))`") == true)
      } else {
        #expect(try JSON(parsing: result.reply)["pid"] == before)
      }
      let after = try await fixture.ask(program, for: "pid")
      #expect(after != nil && after != before)
    }
  }

  @Test(.timeLimit(.minutes(1))) func `P04 a reply over its limit fails its call, and no other`() async throws {
    try await WorkerFixture.with { (fixture) async throws in
      let program = fixture.python(
        """
        if call.get('long'): os.write(1, b'{"id":%d,"x":"' % call['id']); [os.write(1, b'x' * 65536) for _ in range(100)]
        reply(call)
        """, rules: WorkerRules(inFlight: 2, most: 1))
      async let long = fixture.call(program, "{\"long\":true}")
      async let other = fixture.call(program)
      let result = try await long
      #expect(result.replyIsCut)
      #expect(result.trouble == "bad reply: longer than 1.0 MiB")
      #expect(try await other.trouble == nil)
    }
  }

  @Test(.timeLimit(.minutes(1))) func `a worker that closes its stdout is ended, and its call goes to another`()
    async throws
  {
    try await WorkerFixture.with { (fixture) async throws in
      let program = fixture.python(
        """
        if once('closed'):
            os.close(1)
            time.sleep(1000)
        reply(call, ok=True)
        """)
      #expect(try await fixture.ask(program, for: "ok") == true)
    }
  }

  @Test(.timeLimit(.minutes(1))) func `P07 a worker that closes its stdin may still answer what it has`() async throws {
    try await WorkerFixture.with { (fixture) async throws in
      let program = fixture.python("os.close(0); reply(call, pid=os.getpid()); time.sleep(1000)")
      let first = try await fixture.ask(program, for: "pid")
      let second = try await fixture.ask(program, for: "pid")
      #expect(first != nil && second != nil && first != second)
    }
  }

  @Test(.timeLimit(.minutes(1))) func `P14 calls under way end with the spawner, and the next find another one`()
    async throws
  {
    try await WorkerFixture.with { (fixture) async throws in
      let mark = UUID().uuidString
      let program = fixture.python(
        "os.write(2, b'up\\n'); time.sleep(call.get('wait', 0)); reply(call, pid=os.getpid())",
        environment: [Self.mark: mark])
      let runner = fixture.runner
      await #expect(throws: SpawnerGone.self) {
        try await fixture.call(program, "{\"wait\":1000}") {
          $0.onLogLine = { _ in if let process = runner.process { kill(process, SIGKILL) } }
        }
      }
      #expect(ProcessTable.processes(marked: "\(Self.mark)=\(mark)") == [])
      #expect(try await fixture.ask(program, for: "pid") != nil)
    }
  }

  @Test(.timeLimit(.minutes(1)))
  func `P13 a limit of CPU time holds for each call, and one that is over it is not tried again`()
    async throws
  {
    try await WorkerFixture.with { (fixture) async throws in
      var program = fixture.python(
        """
        open('calls', 'a').write('x')
        end = time.process_time() + call['spin']
        while time.process_time() < end: pass
        reply(call, pid=os.getpid())
        """)
      program.limits.cpuTime = .seconds(1)
      let first = try await fixture.ask(program, "{\"spin\":0.7}", for: "pid")
      #expect(try await fixture.ask(program, "{\"spin\":0.7}", for: "pid") == first)
      #expect(try await fixture.call(program, "{\"spin\":10}").termination == .signaled(SIGXCPU))
      #expect(try String(contentsOfFile: fixture.directory + "/calls", encoding: .utf8) == "xxx")
    }
  }

  @Test(.timeLimit(.minutes(1))) func `a task that is cancelled ends its call`() async throws {
    try await WorkerFixture.with { (fixture) async throws in
      let program = fixture.python("os.write(2, b'up\\n'); time.sleep(1000)")
      let isUp = Cancellation()
      let ending = try await withThrowingTaskGroup(of: ProgramResult.Ending?.self) { group in
        group.addTask { try await fixture.call(program) { $0.onLogLine = { _ in isUp.cancel(.person) } }.ending }
        try await eventually("the worker is at work") { isUp.cause != nil }
        group.cancelAll()
        return try await group.next() ?? nil
      }
      #expect(ending == .cancelled)
    }
  }
}
