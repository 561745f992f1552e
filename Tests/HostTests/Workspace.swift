import Core
import Foundation
import Host

/// A workspace in a temporary directory, removed at the end.
final class Workspace {
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

  func context(environment: [String: String] = [:]) -> PipelineCatalog.Context {
    PipelineCatalog.Context(
      stages: ManifestFolder(directory: path + "/stages").load().stages, environment: environment,
      settings: Settings(), now: Date(timeIntervalSince1970: 0),
      sha256: { bytes in
        String(
          bytes.reduce(UInt64(14_695_981_039_346_656_037)) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 },
          radix: 16)
      })
  }

  func pipelines(environment: [String: String] = [:]) -> [LoadedPipeline] {
    PipelineFolder(workspace: path).load(context(environment: environment))
  }
}
