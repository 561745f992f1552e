import Core
import Foundation
import Host
import Synchronization
import TestSupport

/// Pools of workers with their own reactor and spawner, and a directory they work in.
final class WorkerFixture: Sendable {
  let reactor: Reactor
  let runner: SpawnerRunner
  let pools: WorkerPools
  let directory: String

  init(rest: Duration) throws {
    reactor = try Reactor()
    runner = SpawnerRunner(spawner: try builtProduct("penstock-spawner"), reactor: reactor)
    pools = WorkerPools(runner: runner, rest: rest)
    directory = NSTemporaryDirectory() + "penstock-workers-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
  }

  deinit {
    reactor.stop()
    try? FileManager.default.removeItem(atPath: directory)
  }

  /// Runs `body` with a fixture and ends its workers, whatever happens.
  static func with<Value>(
    rest: Duration = .seconds(300), _ body: (WorkerFixture) async throws -> Value
  ) async throws -> Value {
    let fixture = try WorkerFixture(rest: rest)
    do {
      let value = try await body(fixture)
      await fixture.pools.stop()
      await fixture.runner.stop()
      return value
    } catch {
      await fixture.pools.stop()
      await fixture.runner.stop()
      throw error
    }
  }

  /// A worker in Python: `body` is the inside of a loop over requests as `call`; `reply(call, …)` answers.
  func python(
    _ body: String, rules: WorkerRules = WorkerRules(), environment: [String: String] = [:], files: String = "",
    grace: Duration = .milliseconds(300)
  ) -> WorkerProgram {
    let lines = body.split(separator: "\n", omittingEmptySubsequences: false).map { "    " + $0 }
    let script = Self.prelude + lines.joined(separator: "\n") + "\n"
    return WorkerProgram(
      executable: "/usr/bin/python3", arguments: ["python3", "-S", "-u", "-c", script],
      environment: ["PATH": "/usr/bin:/bin"].merging(environment) { $1 }, directory: directory, files: files,
      grace: grace, rules: rules)
  }

  func shell(_ script: String, rules: WorkerRules = WorkerRules()) -> WorkerProgram {
    WorkerProgram(
      executable: "/bin/sh", arguments: ["sh", "-c", script], environment: ["PATH": "/usr/bin:/bin"],
      directory: directory, grace: .milliseconds(300), rules: rules)
  }

  private static let prelude = """
    import json, os, signal, sys, time
    def reply(call, **members): os.write(1, (json.dumps({"id": call["id"], **members}) + "\\n").encode())
    def once(name):
        try: os.close(os.open(name, os.O_CREAT | os.O_EXCL)); return True
        except FileExistsError: return False
    calls = 0
    for line in sys.stdin:
        call = json.loads(line)
        calls += 1

    """

  func call(
    _ program: WorkerProgram, _ request: String = "{}", _ change: (inout WorkerCall) -> Void = { _ in }
  ) async throws -> ProgramResult {
    var call = WorkerCall(program: program, request: Array(request.utf8), timeout: .seconds(40))
    change(&call)
    return try await pools.call(call)
  }

  /// What the answer to one call says under `key`.
  func ask(_ program: WorkerProgram, _ request: String = "{}", for key: String) async throws -> JSON? {
    let result = try await call(program, request)
    return try JSON(parsing: result.reply)[key]
  }
}

/// Collects from any thread.
final class Collected: Sendable {
  private let lines = Mutex<[String]>([])

  var values: [String] { lines.withLock { $0 } }

  func add(_ line: [UInt8]) { lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) } }
}
