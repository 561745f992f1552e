import Core
import Foundation
import Host

/// Runs hooks for a person, with nothing recorded.
struct HookDesk {
  let runner: SpawnerRunner

  static func with<Value>(_ body: (HookDesk) async throws -> Value) async throws -> Value {
    let reactor = try Reactor()
    let runner = SpawnerRunner(spawner: Machine.programDirectory() + "/penstock-spawner", reactor: reactor)
    let result: Result<Value, any Error>
    do { result = .success(try await body(HookDesk(runner: runner))) } catch { result = .failure(error) }
    await runner.stop()
    reactor.stop()
    return try result.get()
  }

  /// Runs one as it is told; what it writes to stderr is shown.
  /// - Parameter told: the envelope with the patches so far; without it as it stands.
  func run(
    _ file: ProgramFile, _ arguments: [String], on trial: TrialEnvelope, told: JSON? = nil, limit: Duration
  ) async throws -> ProgramResult {
    let told = told ?? trial.envelope
    let place = try Scratch(told["out"]?.string)
    defer { withExtendedLifetime(place) {} }
    let envelope = told.merging(["out": .string(place.path)])
    let request = ProgramRequest(
      executable: file.path, arguments: arguments,
      environment: trial.environment(of: envelope, from: ProcessInfo.processInfo.environment),
      directory: place.path, input: try envelope.bytes() + [0x0A], timeout: limit,
      onLogLine: { Output.chat("│ " + Shown.words(String(decoding: $0, as: UTF8.self))) })
    return try await runner.run(request)
  }
}

/// Where hooks are run: in the directory they were run in, or where that is gone in one that goes too.
private final class Scratch {
  let path: String
  private let isOwn: Bool

  init(_ wanted: String?) throws {
    var isDirectory: ObjCBool = false
    if let wanted, FileManager.default.fileExists(atPath: wanted, isDirectory: &isDirectory), isDirectory.boolValue {
      (path, isOwn) = (wanted, false)
    } else {
      path = NSTemporaryDirectory() + "penstock-hooks-" + UUID().uuidString
      isOwn = true
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
  }

  deinit { if isOwn { try? FileManager.default.removeItem(atPath: path) } }
}
