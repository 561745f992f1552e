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

/// What `check` found.
struct CheckReport: Answer {
  /// Without doubles, in the order of files and lines.
  var diagnostics: [Diagnostic]
  var files: Int

  var errors: Int { diagnostics.count { $0.severity == .error } }
  var warnings: Int { diagnostics.count { $0.severity == .warning } }

  func json() -> JSON {
    [
      "api": 1, "ok": .bool(errors == 0), "errors": .integer(errors), "warnings": .integer(warnings),
      "files": .integer(files), "diagnostics": .array(diagnostics.map(\.json)),
    ]
  }

  func lines(_ output: Output) -> [String] {
    var lines: [String] = []
    for diagnostic in diagnostics { lines += [Self.colored(diagnostic, output), ""] }
    return lines + [summary(output)]
  }

  private func summary(_ output: Output) -> String {
    func found(_ severity: Diagnostic.Severity, _ noun: String) -> String? {
      let these = diagnostics.filter { $0.severity == severity }
      guard !these.isEmpty else { return nil }
      return Shown.count(these.count, noun) + " in " + Shown.count(Set(these.map(\.mark.file)).count, "file")
    }
    let checked = Shown.count(files, "file") + " checked"
    let parts = [found(.error, "error"), found(.warning, "warning")].compactMap { $0 }
    if parts.isEmpty { return output.toned("nothing is wrong", .good) + "; \(checked)" }
    return output.toned(parts.joined(separator: ", "), errors > 0 ? .bad : .odd) + "; \(checked)"
  }

  private static func colored(_ diagnostic: Diagnostic, _ output: Output) -> String {
    var lines = diagnostic.rendered.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let word = "\(diagnostic.severity.rawValue):"
    let tone = diagnostic.severity == .error ? Output.Tone.bad : .odd
    if let range = lines[0].range(of: word) {
      lines[0].replaceSubrange(range, with: output.toned(word, tone))
    }
    if let caret = lines.firstIndex(where: { $0.hasSuffix("^") }) {
      lines[caret] = output.toned(lines[caret], tone)
    }
    return lines.joined(separator: "\n")
  }
}
