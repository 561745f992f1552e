import Core
import Foundation

/// The files of a new workspace, all of them in the program.
struct WorkspaceTemplate {
  struct File {
    var path: String
    var text: String
    var isProgram = false
  }

  static var files: [File] {
    [
      File(
        path: ".gitignore",
        text: "# the agent's state\n/var/\n# drops are the user's\n/inbox/*\n!/inbox/.gitkeep\n"),
      File(path: "inbox/.gitkeep", text: ""),
      File(path: "pipelines/table.yaml", text: SampleFiles.pipeline),
      File(path: "stages/describe.sh", text: SampleFiles.describe, isProgram: true),
      File(path: "stages/report.sh", text: SampleFiles.report, isProgram: true),
      File(path: "hooks/README.md", text: SampleFiles.hooks),
      File(path: "hooks/examples/size-limit.sh", text: SampleFiles.hook, isProgram: true),
      File(path: "samples/rivers.csv", text: SampleFiles.rivers),
      File(path: "docs/schema/pipeline.schema.json", text: Schemas.named("pipeline") ?? ""),
      File(path: "docs/schema/settings.schema.json", text: Schemas.named("settings") ?? ""),
      File(path: "docs/schema/manifest.schema.json", text: Schemas.named("manifest") ?? ""),
      // the last: only with it the directory is a workspace
      File(path: "etc/penstock.yaml", text: SettingsShape.template),
    ]
  }

  /// Makes a workspace.
  /// - Returns: what was made; `nil` where it is one already.
  /// - Throws: `CommandFailure` where the directory holds other things, or cannot be written.
  static func make(in directory: String) throws -> [String]? {
    let manager = FileManager.default
    let shown = Display.brief(directory)
    var isDirectory: ObjCBool = false
    if manager.fileExists(atPath: directory, isDirectory: &isDirectory) {
      guard isDirectory.boolValue else { throw CommandFailure("`\(shown)` is a file: name a directory") }
      if manager.fileExists(atPath: directory + "/etc/penstock.yaml") { return nil }
      let names = try reading(shown) { try manager.contentsOfDirectory(atPath: directory) }
      guard names.allSatisfy({ $0 == ".git" }) else {
        throw CommandFailure(
          "`\(shown)` is not empty and no workspace (it has \(Shown.count(names.count, "entry", "entries")) and no "
            + "`etc/penstock.yaml`): name an empty directory, or a new one")
      }
    }
    for file in files {
      let path = directory + "/" + file.path
      try reading(path) {
        try manager.createDirectory(
          atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true,
          attributes: [.posixPermissions: 0o755])
        try Data(file.text.utf8).write(to: URL(fileURLWithPath: path))
        try manager.setAttributes([.posixPermissions: file.isProgram ? 0o755 : 0o644], ofItemAtPath: path)
      }
    }
    return files.map(\.path)
  }

  private static func reading<Value>(_ path: String, _ body: () throws -> Value) throws -> Value {
    do { return try body() } catch {
      let cause = (error as? CocoaError)?.userInfo[NSUnderlyingErrorKey] as? any Error
      let reason = (cause ?? error).localizedDescription
      throw CommandFailure("cannot make `\(Display.escaped(path))`: \(Shown.words(reason))")
    }
  }
}
