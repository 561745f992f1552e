/// What may stand at a place of a file: the one description that the check and the JSON Schema are made from.
package indirect enum Shape: Sendable {
  case text
  case name(NameRule)
  /// One of these words.
  case word([String])
  /// One of these words, or a map.
  case wordOr([String], Record)
  /// `true` or `false`.
  case flag
  case whole(ClosedRange<Int>)
  case number(ClosedRange<Double>)
  /// `90s`.
  case duration(atLeast: Duration)
  /// `10MiB`.
  case size
  /// `150%`.
  case percent
  /// `20%` or `0.2`, more than 0 and less than 1.
  case fraction
  /// `5/s`.
  case rate
  /// A percentage or a plain number.
  case margin
  /// A pattern of file names.
  case pattern
  case list(Shape, atLeast: Int)
  /// Keys of the user's own choice.
  case map(Shape)
  case record(Record)
  /// Any value.
  case any
  /// A JSON Schema.
  case schema
  /// This, or `null`.
  case orNull(Shape)
}

/// A map whose keys are known.
package struct Record: Sendable {
  /// As an error calls one: `a stage`, `the retry policy`.
  package var title: String
  package var fields: [Field]
  /// Whether there may be more keys, which readers pass over: what later versions add.
  package var isOpen: Bool

  package init(_ title: String, _ fields: [Field], isOpen: Bool = false) {
    self.title = title
    self.fields = fields
    self.isOpen = isOpen
  }

  package func field(_ key: String) -> Field? { fields.first { $0.key == key } }
}

package struct Field: Sendable {
  package var key: String
  package var shape: Shape
  package var isRequired: Bool
  /// One sentence for the JSON Schema and the guide.
  package var summary: String
  package var standing: Standing

  /// Whether this version does what the key says.
  package enum Standing: Sendable, Equatable {
    case acted
    /// A warning: it is read but not acted on.
    case notYet
    /// An error, with what a person can do today.
    case later(hint: String)
  }

  package init(
    _ key: String, _ shape: Shape, required: Bool = false, _ summary: String, standing: Standing = .acted
  ) {
    self.key = key
    self.shape = shape
    self.isRequired = required
    self.summary = summary
    self.standing = standing
  }
}

/// What a name may be made of.
package enum NameRule: String, Sendable {
  /// A stage, a registered stage's own name.
  case plain
  /// A pipeline or a registered stage: plain names with `/` between them.
  case path
  /// A variable of the environment.
  case variable

  /// As an ECMA regular expression for the JSON Schema.
  package var expression: String {
    switch self {
    case .plain: "^[A-Za-z0-9_-]+$"
    case .path: "^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$"
    case .variable: "^[A-Za-z_][A-Za-z0-9_]*$"
    }
  }

  package var words: String {
    switch self {
    case .plain: "letters, digits, `_` and `-`"
    case .path: "letters, digits, `_` and `-`, with `/` between parts"
    case .variable: "letters, digits and `_`, no digit first"
    }
  }

  package func accepts(_ text: String) -> Bool {
    switch self {
    case .plain: Self.isPlain(text[...])
    case .path: text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy(Self.isPlain)
    case .variable: Self.isPlain(text[...]) && !text.contains("-") && text.first?.isNumber == false
    }
  }

  private static func isPlain(_ text: Substring) -> Bool {
    !text.isEmpty && text.utf8.count <= 100
      && text.unicodeScalars.allSatisfy { scalar in
        scalar.isASCII
          && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
            || "_-".unicodeScalars.contains(scalar))
      }
  }
}
