/// Everything found wrong so far: a reader of files goes on after an error and tells all at once.
package struct Findings: Sendable, Equatable {
  package private(set) var diagnostics: [Diagnostic] = []

  package init() {}

  package var hasErrors: Bool { diagnostics.hasErrors }

  package mutating func error(_ message: String, at mark: Mark, hint: String? = nil) {
    add(Diagnostic(.error, at: mark, message, hint: hint))
  }

  package mutating func warning(_ message: String, at mark: Mark, hint: String? = nil) {
    add(Diagnostic(.warning, at: mark, message, hint: hint))
  }

  package mutating func add(_ findings: Findings) {
    for diagnostic in findings.diagnostics { add(diagnostic) }
  }

  /// More than a person reads.
  private static let most = 200

  /// The same words about the same place are kept once.
  package mutating func add(_ diagnostic: Diagnostic) {
    guard diagnostics.count < Self.most || diagnostic.severity == .error && !hasErrors else { return }
    if !diagnostics.contains(diagnostic) { diagnostics.append(diagnostic) }
  }
}
