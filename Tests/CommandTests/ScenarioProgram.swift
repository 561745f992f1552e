import Foundation
import Glibc
import Synchronization

/// A real process of a scenario, its output in files; killed with its scenario where it still runs.
final class ScenarioProgram: @unchecked Sendable {
  let pid: pid_t
  /// Held while a program is started and while a file is written: a fork in between would keep the file open for
  /// writing, so that it could neither be run nor be claimed.
  static let forking = Mutex(())

  private let output: String
  private let complaints: String
  // only the test's own task asks, one question after another
  private var status: Int32?

  /// Where a program built to count lines leaves its counts, merged by `%m`.
  ///
  /// Not among those of this test program: SwiftPM fails where a killed program left one half written.
  private static let counting: [String: String] = {
    guard let own = ProcessInfo.processInfo.environment["LLVM_PROFILE_FILE"] else { return [:] }
    return ["LLVM_PROFILE_FILE": (own as NSString).deletingLastPathComponent + "/programs/%9m.profraw"]
  }()

  /// Starts a program in a session of its own, so that nothing the terminal sends reaches it.
  init(_ arguments: [String], environment: [String: String], logs: String) throws {
    output = logs + ".out"
    complaints = logs + ".err"
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    posix_spawn_file_actions_addopen(&actions, 2, complaints, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // a worker thread of libdispatch has signals blocked, and the program would have them so too
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    // POSIX_SPAWN_SETSID of <spawn.h>, which glibc's module shows only with _GNU_SOURCE
    posix_spawnattr_setflags(&attributes, 0x80 | Int16(POSIX_SPAWN_SETSIGMASK))
    let words = arguments.map { strdup($0) } + [nil]
    let variables = environment.merging(Self.counting) { own, _ in own }.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in words + variables { free(text) } }
    var pid: pid_t = 0
    let code = Self.forking.withLock { _ in
      posix_spawn(&pid, arguments[0], &actions, &attributes, words, variables)
    }
    guard code == 0 else { throw ScenarioFailure("cannot start \(arguments): \(String(cString: strerror(code)))") }
    self.pid = pid
  }

  deinit {
    guard status == nil else { return }
    kill(pid, SIGKILL)
    waitpid(pid, nil, 0)
  }

  var isRunning: Bool {
    if status != nil { return false }
    var found: Int32 = 0
    guard waitpid(pid, &found, WNOHANG) == pid else { return true }
    status = found
    return false
  }

  func signal(_ number: Int32) { _ = kill(pid, number) }

  /// Whether it has a handler of its own for the signal (SigCgt of proc_pid_status(5)).
  func catches(_ number: Int32) throws -> Bool {
    let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
    let line = status.split(separator: "\n").first { $0.hasPrefix("SigCgt:") }
    let mask = line.flatMap { UInt64($0.dropFirst("SigCgt:".count).trimmingCharacters(in: .whitespaces), radix: 16) }
    return (mask ?? 0) >> UInt64(number - 1) & 1 == 1
  }

  struct Ended {
    /// As a shell says it: 128 and the signal where one ended it.
    var code: Int32
    var output: String
    var complaints: String

    /// The one JSON object on stdout.
    var json: [String: Any] {
      (try? JSONSerialization.jsonObject(with: Data(output.utf8))) as? [String: Any] ?? [:]
    }
  }

  /// Returns when it has ended.
  func end(within limit: Duration = .seconds(200)) async throws -> Ended {
    try await until(within: limit, "the end of process \(pid); so far it said: \(text)") { !self.isRunning }
    let status = status ?? 0
    let code = status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + status & 0x7F
    return Ended(code: code, output: Self.read(output), complaints: Self.read(complaints))
  }

  /// What it said until now, both streams.
  var text: String { Self.read(output) + Self.read(complaints) }

  private static func read(_ path: String) -> String {
    String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
  }
}

struct ScenarioFailure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// Returns as soon as `condition` holds.
/// - Throws: `ScenarioFailure` where it does not within `limit`.
func until(
  within limit: Duration = .seconds(200), _ what: @autoclosure () -> String,
  _ condition: () async throws -> Bool
) async throws {
  let deadline = ContinuousClock.now + limit
  while try await !condition() {
    guard ContinuousClock.now < deadline else { throw ScenarioFailure("not within \(limit): \(what())") }
    try await Task.sleep(for: .milliseconds(10))
  }
}
