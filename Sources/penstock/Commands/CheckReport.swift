import Core
import Foundation

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
