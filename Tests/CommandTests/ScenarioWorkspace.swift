import Core
import Foundation
import Glibc
import Store
import Synchronization
import TestSupport

/// A workspace of its own with the real program at work in it; removed at the end.
final class ScenarioWorkspace {
  let home: String
  private var started = 0
  private var opened: StateReader?
  private var environment: [String: String]

  /// - Parameters:
  ///   - settings: lines of `etc/penstock.yaml`; without them everything is quick.
  ///   - disk: options of a tmpfs(5) of its own to lie on, which takes root.
  init(settings: String = "", environment: [String: String] = [:], disk: String? = nil) throws {
    home = "/tmp/penstock-scenario-" + UUID().uuidString.prefix(13)
    self.environment = ["PATH": "/usr/bin:/bin", "HOME": "/nowhere", "TZ": "UTC", "PENSTOCK_KIT": home + "/stages"]
      .merging(environment) { _, own in own }
    try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
    if let disk, mount("penstock-test", home, "tmpfs", 0, disk) != 0 {
      throw ScenarioFailure("cannot mount: \(String(cString: strerror(errno)))")
    }
    for directory in ["inbox", "pipelines", "stages", "etc", "hooks", "logs"] {
      try FileManager.default.createDirectory(atPath: path(directory), withIntermediateDirectories: true)
    }
    let quick = ["settle: 50ms", "settle_moved: 10ms", "reserve: 1MiB", "grace: 300ms"]
    let own = settings.split(separator: "\n").map { $0.prefix { $0 != ":" } }
    let kept = quick.filter { !own.contains($0.prefix { $0 != ":" }) }
    try write("etc/penstock.yaml", kept.joined(separator: "\n") + "\n" + settings)
  }

  deinit {
    chmod(path("var"), 0o700)
    umount2(home, Int32(MNT_DETACH))
    try? FileManager.default.removeItem(atPath: home)
  }

  // MARK: - Files

  func path(_ name: String) -> String { home + "/" + name }

  func write(_ name: String, _ text: String, mode: Int = 0o644) throws { try write(name, Data(text.utf8), mode: mode) }

  func write(_ name: String, _ bytes: Data, mode: Int = 0o644) throws {
    try FileManager.default.createDirectory(
      atPath: (path(name) as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try ScenarioProgram.forking.withLock { _ in try bytes.write(to: URL(fileURLWithPath: path(name))) }
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path(name))
  }

  /// A program of the workspace, `/bin/sh`.
  func script(_ name: String, _ text: String) throws { try write(name, "#!/bin/sh\n" + text + "\n", mode: 0o755) }

  /// A pipeline for `*.csv` whose stages run shell text; `more` follows the last stage.
  func pipeline(_ name: String = "p", inbox: String = "*.csv", stages: [(String, String)], more: String = "") throws {
    var text = "pipeline: { name: \(name) }\ntrigger: { inbox: \"\(inbox)\" }\nstages:\n"
    for (stage, program) in stages {
      try script("stages/\(name)-\(stage).sh", program)
      text += "  - name: \(stage)\n    run: [\"./stages/\(name)-\(stage).sh\"]\n"
    }
    try write("pipelines/\(name).yaml", text + more)
  }

  func exists(_ name: String) -> Bool { access(path(name), F_OK) == 0 }

  func text(_ name: String) -> String { String(decoding: bytes(name), as: UTF8.self) }

  func bytes(_ name: String) -> Data { FileManager.default.contents(atPath: path(name)) ?? Data() }

  func names(_ directory: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: path(directory))) ?? []).sorted()
  }

  /// Every drop in `var/<place>/<run>/`, by its run.
  func filed(_ place: String) -> [String: [String]] {
    Dictionary(uniqueKeysWithValues: names("var/" + place).map { ($0, names("var/\(place)/\($0)")) })
  }

  /// A drop by rename, as a careful producer makes it.
  func drop(_ name: String, _ text: String = "a,b\n1,2\n") throws {
    try write("inbox/.\(name).new", text)
    guard rename(path("inbox/.\(name).new"), path("inbox/\(name)")) == 0 else {
      throw ScenarioFailure("cannot drop \(name): \(String(cString: strerror(errno)))")
    }
  }

  // MARK: - Programs

  /// Starts `penstock -C <home> …`.
  func start(_ arguments: String..., wrapped: [String] = []) throws -> ScenarioProgram {
    try start(arguments, wrapped: wrapped)
  }

  /// - Parameter other: another workspace than this one.
  func start(_ arguments: [String], wrapped: [String] = [], at other: String? = nil) throws -> ScenarioProgram {
    started += 1
    // before the command, for one may have commands of its own
    let command = [try builtProduct("penstock"), "-C", other ?? home] + arguments
    return try ScenarioProgram(
      wrapped + command, environment: environment, logs: path("logs/\(started)-\(arguments[0])"))
  }

  /// Runs `penstock -C <home> …` to its end.
  @discardableResult
  func penstock(_ arguments: String..., wrapped: [String] = []) async throws -> ScenarioProgram.Ended {
    try await start(arguments, wrapped: wrapped).end()
  }

  /// Starts an agent and returns when it takes drops in.
  func up(wrapped: [String] = []) async throws -> ScenarioProgram {
    let earlier = try? await reader { try await $0.agent()?.started }
    let agent = try start(["up"], wrapped: wrapped)
    try await until("an agent that answers; it said: \(agent.text)") {
      guard agent.isRunning else { throw ScenarioFailure("the agent ended: \(agent.text)") }
      guard exists("var/penstock.sock"), let record = try? await reader({ try await $0.agent() }) else {
        return false
      }
      return record.ended == nil && record.started != earlier
    }
    return agent
  }

  /// Stops an agent as systemd does.
  func stop(_ agent: ScenarioProgram) async throws -> ScenarioProgram.Ended {
    agent.signal(SIGTERM)
    return try await agent.end()
  }

  // MARK: - What is remembered

  /// Lets go of the database; what is asked next opens it.
  func closeReader() { opened = nil }

  func reader<Value: Sendable>(_ body: (StateReader) async throws -> Value) async throws -> Value {
    let reader = try opened ?? StateReader(path: path("var/state.db"))
    opened = reader
    return try await body(reader)
  }

  /// All runs, the oldest first.
  func runs() async throws -> [Run] {
    guard exists("var/state.db") else { return [] }
    return try await reader { try await $0.runs(limit: 100_000).reversed() }
  }

  func attempts(_ run: Run) async throws -> [Attempt] { try await reader { try await $0.attempts(of: run.id) } }

  func hookCalls(_ run: Run) async throws -> [HookCall] { try await reader { try await $0.hookCalls(of: run.id) } }

  /// Returns when `count` runs have ended and their drops are filed.
  @discardableResult
  func ended(_ count: Int = 1, within limit: Duration = .seconds(200)) async throws -> [Run] {
    var found: [Run] = []
    try await until(within: limit, "\(count) ended runs, got \(found.map { "\($0.number) \($0.state)" }); \(tail)") {
      found = try await runs().filter { $0.state.isTerminal && ($0.filed || $0.drop == nil) }
      return found.count >= count
    }
    return found
  }

  /// The rows of every table of work, as text: two restarts apart they must be equal.
  func rows() throws -> String {
    let tables = ["run", "attempt", "artifact", "hook_call", "pipeline_version"]
    let program = try ScenarioProgram(
      ["/usr/bin/env", "python3", "-c", Self.dump, path("var/state.db")] + tables,
      environment: ProcessInfo.processInfo.environment,
      logs: path("logs/rows"))
    while program.isRunning { usleep(5000) }
    return program.text
  }

  private static let dump = """
    import sqlite3, sys
    db = sqlite3.connect("file:" + sys.argv[1] + "?mode=ro", uri=True)
    for table in sys.argv[2:]:
        for row in db.execute(f"select * from {table} order by 1, 2, 3"): print(table, row)
    """

  // MARK: - The agent's log

  /// Every line of the agent's log that has this message, as JSON.
  func logged(_ message: String, where matches: (JSON) -> Bool = { _ in true }) -> [JSON] {
    text("var/logs/agent.ndjson").split(separator: "\n").compactMap { try? JSON(parsing: Data($0.utf8)) }
      .filter { $0["message"]?.string == message && matches($0) }
  }

  func waitForLog(_ message: String, where matches: (JSON) -> Bool = { _ in true }) async throws {
    try await until("the agent's log to say `\(message)`; \(tail)") { !logged(message, where: matches).isEmpty }
  }

  /// The end of the agent's log, for the words of a failure.
  var tail: String { "the agent's log ends with:\n" + text("var/logs/agent.ndjson").suffix(3000) }
}
