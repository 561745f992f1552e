import Core
import Foundation
import Host
import TestSupport

/// A runner with its own reactor and spawner, and a directory for what the programs leave.
final class SpawnerFixture {
  let reactor: Reactor
  let runner: SpawnerRunner
  let directory: String

  init() throws {
    reactor = try Reactor()
    runner = SpawnerRunner(spawner: try builtProduct("penstock-spawner"), reactor: reactor)
    directory = NSTemporaryDirectory() + "penstock-spawner-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
  }

  deinit {
    reactor.stop()
    try? FileManager.default.removeItem(atPath: directory)
  }

  var spawner: String { get throws { try builtProduct("penstock-spawner") } }

  func path(_ name: String) -> String { directory + "/" + name }

  /// Runs `body` with a fixture and ends its spawner, whatever happens.
  static func with<Value>(_ body: (SpawnerFixture) async throws -> Value) async throws -> Value {
    let fixture = try SpawnerFixture()
    do {
      let value = try await body(fixture)
      await fixture.runner.stop()
      return value
    } catch {
      await fixture.runner.stop()
      throw error
    }
  }

  /// A request for `/bin/sh -c script`.
  func shell(_ script: String, _ arguments: String...) -> ProgramRequest {
    program("/bin/sh", ["-c", script, "sh"] + arguments)
  }

  func program(_ executable: String, _ arguments: [String] = []) -> ProgramRequest {
    ProgramRequest(
      executable: executable, arguments: [(executable as NSString).lastPathComponent] + arguments,
      environment: ["PATH": "/usr/bin:/bin"], directory: directory)
  }

  /// Makes a file with `mode` and gives its path.
  func file(_ name: String, _ text: String, mode: Int = 0o755) throws -> String {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path(name)))
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path(name))
    return path(name)
  }
}

extension ProgramRequest {
  func with(_ change: (inout ProgramRequest) -> Void) -> ProgramRequest {
    var copy = self
    change(&copy)
    return copy
  }
}

extension ProgramResult {
  var replyText: String { String(decoding: reply, as: UTF8.self) }

  var unstarted: String? { if case .unstarted(let words) = termination { words } else { nil } }
}
