/// What kind of thing went wrong in a stage: each with its own remedy, and `retry: { on: […] }` may choose among them.
package enum ErrorClass: String, Sendable, Codable, CaseIterable {
  /// The pipeline, its parameters or the program itself: a person must mend it.
  case configuration
  /// The drop, or what a stage before made of it.
  case data
  /// The algorithm did not get where it should.
  case model
  /// The machine, the network, time.
  case system

  package static let names = allCases.map(\.rawValue)
}

/// A failure by its class, with a code that programs may rely on.
package struct StageError: Sendable, Equatable, Codable {
  package var `class`: ErrorClass
  /// Such as `system.timeout`: the class, a dot, and a word that keeps its meaning.
  package var code: String

  package init(_ class: ErrorClass, _ word: String) {
    self.class = `class`
    code = "\(`class`.rawValue).\(word)"
  }

  /// As a program says it: `data`, or `data.schema` with a code of its own.
  package init?(_ text: String) {
    let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard let known = parts.first.flatMap(ErrorClass.init), parts.count == 1 || NameRule.plain.accepts(parts[1]) else {
      return nil
    }
    self.init(known, parts.count == 1 ? "said" : parts[1])
  }

  /// As recorded.
  package init(class: ErrorClass, code: String) {
    self.class = `class`
    self.code = code
  }
}
