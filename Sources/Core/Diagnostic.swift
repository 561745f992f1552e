/// One thing that is wrong, or odd, in a file a person wrote.
package struct Diagnostic: Error, Sendable, Equatable {
  package enum Severity: String, Sendable, Codable {
    case error
    case warning
  }

  package var severity: Severity
  package var mark: Mark
  /// What is wrong: lower case, no full stop, the user's words in backticks.
  package var message: String
  /// What to do about it.
  package var hint: String?
  /// The line of the file it is about.
  package var source: String?

  package init(
    _ severity: Severity = .error, at mark: Mark, _ message: String, hint: String? = nil,
    source: String? = nil
  ) {
    self.severity = severity
    self.mark = mark
    // whatever the file holds, and whichever check words it
    self.message = Display.harmless(message)
    self.hint = hint.map(Display.harmless)
    self.source = source
  }

  /// `file:line:column: error: …`, and below it the line, a caret and the hint.
  package var rendered: String {
    var lines = ["\(mark.displayed): \(severity.rawValue): \(message)"]
    if let source {
      let scalars = Array(source.unicodeScalars)
      let start = min(mark.column - 1, scalars.count)
      let end = min(start + mark.length, scalars.count)
      let before = Self.visible(scalars[..<start])
      let marked = Self.visible(scalars[start..<end])
      let number = String(mark.line)
      let margin = String(repeating: " ", count: number.count)
      let carets = String(repeating: "^", count: max(1, marked.count))
      lines.append(" \(number) | \(before)\(marked)\(Self.visible(scalars[end...]))")
      lines.append(" \(margin) | \(String(repeating: " ", count: before.count))\(carets)")
    }
    if let hint { lines.append("  \(hint)") }
    return lines.joined(separator: "\n")
  }

  package var json: JSON {
    [
      "severity": .string(severity.rawValue), "file": .string(mark.file), "line": .integer(mark.line),
      "column": .integer(mark.column), "message": .string(message),
      "hint": hint.map { .string($0) } ?? .null, "source": source.map { .string($0) } ?? .null,
    ]
  }

  /// Unicode scalars; a longer line is not shown, as in a JSON file without line ends.
  fileprivate static let longestLine = 400

  private static func visible(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
    scalars.map { $0 == "\\" ? "\\" : $0 == "\t" ? " " : Display.escaped(String($0)) }.joined()
  }
}

extension Sequence where Element == Diagnostic {
  package var hasErrors: Bool { contains { $0.severity == .error } }

  /// The same, each with the line it is about, in the order of the file.
  package func quoting(_ texts: [String: String]) -> [Diagnostic] {
    var lines: [String: [Substring]] = [:]
    return map { diagnostic in
      var diagnostic = diagnostic
      let mark = diagnostic.mark
      guard diagnostic.source == nil, let text = texts[mark.file] else { return diagnostic }
      // what libyaml counts as the end of a line
      let split =
        lines[mark.file] ?? text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      lines[mark.file] = split
      guard mark.line <= split.count else { return diagnostic }
      let line = split[mark.line - 1]
      let isFirst = mark.line == 1 && line.unicodeScalars.first == "\u{FEFF}"
      let shown = isFirst ? line.unicodeScalars.dropFirst() : line.unicodeScalars
      if shown.count <= Diagnostic.longestLine { diagnostic.source = String(shown) }
      return diagnostic
    }
    .enumerated().sorted { left, right in
      (left.element.mark, left.offset) < (right.element.mark, right.offset)
    }.map(\.element)
  }
}
