import Core
import Foundation
import Host

/// A workspace in a temporary directory, removed at the end.
final class ConfiguredWorkspace {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.path + "/penstock-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ name: String, _ text: String, mode: Int = 0o644) throws {
    let file = path + "/" + name
    try FileManager.default.createDirectory(
      atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Data(text.utf8).write(to: URL(fileURLWithPath: file))
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
  }

  func setMode(_ name: String, _ mode: Int) throws {
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path + "/" + name)
  }

  func context(environment: [String: String] = [:]) -> PipelineCatalog.Context {
    PipelineCatalog.Context(
      stages: ManifestFolder(directory: path + "/stages").load().stages, environment: environment,
      settings: Settings(), now: Date(timeIntervalSince1970: 0),
      sha256: SHA256.hex)
  }

  func pipelines(environment: [String: String] = [:]) -> [LoadedPipeline] {
    PipelineFolder(workspace: path).load(context(environment: environment))
  }
}
