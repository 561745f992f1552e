/// A place in a text file.
package struct Mark: Hashable, Sendable, Codable {
  /// Relative to the workspace where the file is in it.
  package var file: String
  /// The first is 1.
  package var line: Int
  /// The first is 1; counted in Unicode scalars.
  package var column: Int
  /// Scalars the thing takes on its line; at least 1.
  package var length: Int

  package init(file: String, line: Int = 1, column: Int = 1, length: Int = 1) {
    self.file = file
    self.line = line
    self.column = column
    self.length = max(1, length)
  }

  /// `file:line:column`, the form editors jump to.
  package var displayed: String { "\(Display.escaped(file)):\(line):\(column)" }
}

extension Mark: Comparable {
  package static func < (left: Mark, right: Mark) -> Bool {
    (left.file, left.line, left.column) < (right.file, right.line, right.column)
  }
}
