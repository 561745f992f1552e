import ArgumentParser
import Core
import Foundation
import Host

struct Check: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Says everything that is wrong with the files, at once.",
    discussion: "Settings, registered stages, pipelines and hooks. Exit code 2 where there is an error.")

  @OptionGroup var place: Place

  @Argument(
    help: "Files or directories; a pipeline may lie anywhere. Without any, all of the workspace.",
    completion: .file())
  var paths: [String] = []

  func run() async throws {
    let workspace = try place.workspace()
    let current = FileManager.default.currentDirectoryPath
    let asked = try paths.map { try CheckedPath($0, in: workspace, current: current) }
    let report = CheckReading(workspace: workspace, environment: ProcessInfo.processInfo.environment).read(
      asked)
    try place.give(report)
    if report.errors > 0 { throw ExitCode(ExitCodes.usage) }
  }
}

/// A file or directory that is to be checked.
struct CheckedPath {
  /// As diagnostics call it: relative to the workspace where it lies in it, else as typed.
  var shown: String
  var absolute: String
  /// Whether loading the workspace looks at it anyway.
  var isOfWorkspace: Bool

  /// - Throws: where there is no such file.
  init(_ typed: String, in workspace: Workspace, current: String) throws {
    let path = typed.hasPrefix("/") ? typed : current + "/" + typed
    guard let resolved = Workspace(at: path)?.home else {
      throw CommandFailure("cannot check `\(Display.brief(typed))`: no such file")
    }
    absolute = resolved
    let inside =
      resolved.hasPrefix(workspace.home + "/") ? String(resolved.dropFirst(workspace.home.count + 1)) : nil
    let isHome = resolved == workspace.home
    shown = isHome ? "" : inside ?? typed
    let first = inside?.split(separator: "/").first.map(String.init)
    isOfWorkspace = isHome || first.map { ["pipelines", "stages", "hooks", "etc"].contains($0) } ?? false
  }

  func covers(_ file: String) -> Bool { shown.isEmpty || file == shown || file.hasPrefix(shown + "/") }
}
