import Core
import Foundation
import Glibc
import Store
import Testing

/// Stages and hooks that stay, with the whole program.
@Suite(.timeLimit(.minutes(2))) struct ScenarioWarmTests {
  /// A registered stage in Python whose `body` answers each `call` by `reply(call, …)`.
  private func place(_ body: String, pipeline: String? = nil, more: String = "") throws -> ScenarioWorkspace {
    let mark = UUID().uuidString
    let place = try ScenarioWorkspace(settings: "env: [MARK]\n", environment: ["MARK": mark])
    try place.write("mark", mark)
    try write(body, to: place)
    try place.write(
      "stages/my/warm.yaml",
      """
      stage: my/warm
      version: 1.0.0
      summary: "Stays"
      run: ["/usr/bin/python3", "-S", "${kit}/warm.py"]
      persistent: true
      files: [warm.py]
      \(more)
      """)
    try place.write(
      "pipelines/p.yaml",
      pipeline ?? "pipeline: { name: p }\ntrigger: { inbox: \"*.csv\" }\nstages: [ { name: only, uses: my/warm } ]\n")
    return place
  }

  private func write(_ body: String, to place: ScenarioWorkspace, as name: String = "stages/warm.py") throws {
    let lines = body.split(separator: "\n", omittingEmptySubsequences: false).map { "    " + $0 }
    try place.write(
      name,
      """
      #!/usr/bin/python3
      import json, os, sys
      def reply(call, **members): os.write(1, (json.dumps({"id": call["id"], **members}) + "\\n").encode())
      calls = 0
      for line in sys.stdin:
          call = json.loads(line)
          calls += 1
      \(lines.joined(separator: "\n"))

      """, mode: 0o755)
  }

  private func workers(of place: ScenarioWorkspace) -> [Int32] {
    ScenarioProcesses.marked("MARK=\(place.text("mark"))")
  }

  private static let telling = "reply(call, metrics={'pid': os.getpid(), 'calls': calls})"

  @Test func `two runs are answered by one process, and an edited script by another`() async throws {
    let place = try place(Self.telling)
    let agent = try await place.up()
    for number in 1...2 {
      try place.drop("\(number).csv")
      try await place.ended(number)
    }
    try write("# edited\n" + Self.telling, to: place)
    try place.drop("3.csv")
    let runs = try await place.ended(3)
    #expect(runs.map(\.state) == [.done, .done, .done], "\(runs.compactMap(\.reason))")
    var metrics: [[String: JSON]] = []
    for run in runs {
      let attempt = try #require(try await place.attempts(run).first)
      metrics.append(attempt.metrics)
      #expect(attempt.usage?.peakRSS == nil)
      #expect(attempt.termination == .exited(0))
    }
    #expect(metrics[0]["pid"] == metrics[1]["pid"])
    #expect(metrics[1]["calls"] == 2)
    #expect(metrics[2]["pid"] != metrics[0]["pid"])
    #expect(metrics[2]["calls"] == 1)
    try await until("the worker of the old script has ended") { workers(of: place).count == 1 }
    #expect(try await place.stop(agent).code == 0)
    #expect(workers(of: place) == [])
  }

  @Test func `a worker has what all calls share as its environment, and each request has the rest`() async throws {
    let place = try place(
      """
      open(call['out'] + '/env.json', 'w').write(json.dumps(dict(os.environ)))
      open(call['out'] + '/call.json', 'w').write(line)
      open(call['out'] + '/cwd', 'w').write(os.getcwd())
      reply(call, outputs=[{'name': n, 'path': call['out'] + '/' + n} for n in ('env.json', 'call.json')]
            + [{'name': 'cwd', 'path': 'cwd'}])
      """)
    try place.drop("a.csv")
    let up = try await place.penstock("up", "--once")
    let run = try #require(try await place.runs().first)
    #expect(up.code == 0, "\(run.reason ?? up.complaints)")
    let base = "var/runs/\(run.id)/only/"
    let environment = try #require(try JSON(parsing: place.bytes(base + "env.json")).object)
    let expected = ["PATH", "HOME", "TZ", "MARK", "PENSTOCK_API", "PENSTOCK_HOME", "PENSTOCK_WORKER"]
    #expect(environment.keys.filter { !$0.hasPrefix("LC_") }.sorted() == expected.sorted())
    #expect(environment["PENSTOCK_WORKER"] == "1")
    #expect(place.text(base + "cwd") == place.home)
    let call = try JSON(parsing: place.bytes(base + "call.json"))
    #expect(call["event"] == "stage")
    #expect(call["run"]?["id"] == .string(run.id.text))
    #expect(call["stage"]?["attempt"] == 1)
  }

  @Test func `P14 the workers of a killed agent end with it`() async throws {
    let place = try place(Self.telling)
    let agent = try await place.up()
    try place.drop("a.csv")
    try await place.ended()
    #expect(workers(of: place).count == 1)
    agent.signal(SIGKILL)
    _ = try await agent.end()
    try await until("no worker is left") { workers(of: place).isEmpty }
  }

  @Test func `P01 a call that hangs ends with its timeout, and the next finds another worker`() async throws {
    let place = try place(
      """
      if call['stage']['attempt'] == 1:
          import time
          time.sleep(1000)
      reply(call, metrics={'pid': os.getpid()})
      """,
      pipeline: """
        pipeline: { name: p }
        trigger: { inbox: "*.csv" }
        stages: [ { name: only, uses: my/warm, timeout: 500ms, retry: { attempts: 2, backoff: 10ms } } ]

        """)
    try place.drop("a.csv")
    #expect(try await place.penstock("up", "--once").code == 0)
    let run = try #require(try await place.runs().first)
    #expect(try await place.attempts(run).map(\.state) == [.timeout, .ok])
    #expect(workers(of: place) == [])
  }

  @Test func `a failure of a worker is told in words`() async throws {
    for (body, words) in [
      ("print('hello', flush=True)", "bad reply: `hello` is no JSON object with the `id` of its request"),
      ("reply(call, status='fail', reason='no rows', error='data.empty')", "no rows"),
      ("sys.exit('this is why')", "exit 1: this is why"),
      ("sys.exit(0)", "the worker ended (exit 0) before it answered"),
    ] {
      let place = try place(body)
      try place.drop("a.csv")
      #expect(try await place.penstock("up", "--once").code == 1)
      let run = try #require(try await place.runs().first)
      #expect(run.reason?.contains(words) == true, "\(run.reason ?? "")")
    }
  }

  @Test func `a hook that stays is asked by one process for all runs, and may deny and fail`() async throws {
    let pipeline = """
      pipeline: { name: p }
      trigger: { inbox: "*.csv" }
      stages: [ { name: only, uses: my/warm } ]
      hooks: { before-only: [ { run: ["./hooks/ask.py"], persistent: true } ] }

      """
    let place = try place(Self.telling, pipeline: pipeline)
    try write(
      """
      name = call['drop']['name']
      if name == 'deny.csv': reply(call, decision='deny', reason='not this one')
      elif name == 'fail.csv': reply(call, status='fail', reason='cannot tell')
      else: reply(call, annotations={'pid': os.getpid(), 'calls': calls})
      """, to: place, as: "hooks/ask.py")
    let agent = try await place.up()
    for (number, name) in ["a.csv", "deny.csv", "fail.csv", "b.csv"].enumerated() {
      try place.drop(name)
      try await place.ended(number + 1)
    }
    let runs = try await place.runs()
    #expect(runs.map(\.state) == [.done, .failed, .failed, .done])
    #expect(runs[1].reason?.contains("not this one") == true, "\(runs[1].reason ?? "")")
    #expect(runs[2].reason?.contains("cannot tell") == true, "\(runs[2].reason ?? "")")
    let first = try #require(try await place.hookCalls(runs[0]).first)
    let last = try #require(try await place.hookCalls(runs[3]).first)
    #expect(first.annotations["pid"] == last.annotations["pid"])
    #expect(last.annotations["calls"] == 4)
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `items go to one worker that has several in hand, and none is lost when it dies`() async throws {
    let pipeline = """
      pipeline: { name: p }
      trigger: { inbox: "*.jsonl" }
      stages: [ { name: only, uses: my/warm, each: { from: input, concurrency: 16 } } ]

      """
    let place = try place(
      """
      if calls == 1: open(os.environ['PENSTOCK_HOME'] + '/starts', 'a').write('x')
      if call['item']['id'] == 'q77' and not os.path.exists(os.environ['PENSTOCK_HOME'] + '/died'):
          open(os.environ['PENSTOCK_HOME'] + '/died', 'w').close()
          os.kill(os.getpid(), 9)
      reply(call, data={'was': call['item']['id']})
      """, pipeline: pipeline, more: "worker: { in_flight: 8, most: 1 }")
    try place.drop("a.jsonl", (0..<300).map { "{\"id\":\"q\($0)\",\"n\":\($0)}\n" }.joined())
    let up = try await place.penstock("up", "--once")
    let run = try #require(try await place.runs().first)
    #expect(up.code == 0, "\(run.reason ?? up.complaints)")
    let progress = try await place.reader { try await $0.itemProgress(of: run.id) }["only"]
    #expect(progress == ItemProgress(stage: "only", total: 300, ok: 300, failed: 0))
    #expect(place.text("starts") == "xx")
  }

  @Test func `what differs from call to call may not stand in the program of a stage that stays`() async throws {
    let place = try place(Self.telling)
    try place.write(
      "stages/my/warm.yaml",
      place.text("stages/my/warm.yaml").replacing("\"${kit}/warm.py\"", with: "\"${kit}/warm.py\", \"${out}\""))
    let check = try await place.penstock("check")
    #expect(check.code == 2)
    #expect((check.output + check.complaints).contains("`${out}` differs from call to call"), "\(check.output)")
  }
}
