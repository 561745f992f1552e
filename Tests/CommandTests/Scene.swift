import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

/// A workspace of files and the real program: what is given, what is asked, what exactly comes of it.
final class Scene {
  let home: String
  private let environment: [String: String]
  private var asked = 0

  /// - Parameters:
  ///   - files: by path; what begins with `#!` is made a program.
  ///   - isWorkspace: false leaves out `etc/penstock.yaml` and the directories.
  init(_ files: [String: String] = [:], isWorkspace: Bool = true, environment: [String: String] = [:]) throws {
    home = "/tmp/penstock-scene-" + UUID().uuidString.prefix(13)
    self.environment = [
      "PATH": "/usr/bin:/bin", "HOME": "/nowhere", "TZ": "UTC", "PENSTOCK_HOME": home,
      "PENSTOCK_KIT": home + "/kit",
    ].merging(environment) { _, own in own }
    try FileManager.default.createDirectory(atPath: home + "/.asked", withIntermediateDirectories: true)
    if isWorkspace {
      for directory in ["inbox", "pipelines"] {
        try FileManager.default.createDirectory(atPath: path(directory), withIntermediateDirectories: true)
      }
      try file("etc/penstock.yaml", "settle: 20ms\nsettle_moved: 10ms\nreserve: 1MiB\n")
    }
    for (name, text) in files { try file(name, text) }
  }

  deinit { try? FileManager.default.removeItem(atPath: home) }

  func path(_ name: String) -> String { home + "/" + name }

  func file(_ name: String, _ text: String) throws {
    try FileManager.default.createDirectory(
      atPath: (path(name) as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try ScenarioProgram.forking.withLock { _ in
      try Data(text.utf8).write(to: URL(fileURLWithPath: path(name)))
    }
    chmod(path(name), text.hasPrefix("#!") ? 0o755 : 0o644)
  }

  func text(_ name: String) -> String {
    String(decoding: FileManager.default.contents(atPath: path(name)) ?? Data(), as: UTF8.self)
  }

  func exists(_ name: String) -> Bool { access(path(name), F_OK) == 0 }

  func program() throws -> String { try builtProduct("penstock") }

  func start(_ arguments: [String], environment more: [String: String] = [:]) throws -> ScenarioProgram {
    asked += 1
    return try ScenarioProgram(
      [try program()] + arguments, environment: environment.merging(more) { _, own in own },
      logs: path(".asked/\(asked)"))
  }

  /// Asks and waits for the end; the path of the workspace reads `HOME`.
  func ask(_ arguments: String..., environment: [String: String] = [:]) async throws -> ScenarioProgram.Ended {
    try await ask(arguments, environment: environment)
  }

  func ask(_ arguments: [String], environment: [String: String] = [:]) async throws -> ScenarioProgram.Ended {
    var ended = try await start(arguments, environment: environment).end()
    ended.output = ended.output.replacing(home, with: "HOME")
    ended.complaints = ended.complaints.replacing(home, with: "HOME")
    return ended
  }

  /// Asks, and expects exactly this.
  func expect(
    _ arguments: String..., environment: [String: String] = [:], stdout: String = "", stderr: String = "",
    exit: Int32 = 0, at place: SourceLocation = #_sourceLocation
  ) async throws {
    let ended = try await ask(arguments, environment: environment)
    #expect(ended.output == stdout, sourceLocation: place)
    #expect(ended.complaints == stderr, sourceLocation: place)
    #expect(ended.code == exit, sourceLocation: place)
  }
}

extension ScenarioProgram.Ended {
  func list(_ key: String) -> [[String: Any]] { json[key] as? [[String: Any]] ?? [] }
}
