/// Text with references in it: `${vars.x}`, `${NAME:-default}`, `${file.pair}`, `${input}`.
///
/// `$${` is a plain `${`; any other dollar is itself. What is filled in is never read for references again.
package struct Template: Sendable, Equatable {
  package enum Piece: Sendable, Equatable {
    case literal(String)
    case reference(Reference)
  }

  /// What stands between `${` and `}`.
  package struct Reference: Sendable, Equatable {
    /// `vars.x`, `file.pair`, `params.x`, `input`, `NAME`.
    package var name: String
    /// What follows `:-`; only for the environment.
    package var standard: String?

    package init(_ name: String, standard: String? = nil) {
      self.name = name
      self.standard = standard
    }

    /// `vars` of `vars.x`; `nil` where there is no dot.
    package var scope: String? { name.firstIndex(of: ".").map { String(name[..<$0]) } }
    /// `x` of `vars.x`.
    package var key: String {
      name.firstIndex(of: ".").map { String(name[name.index(after: $0)...]) } ?? name
    }
    package var displayed: String { "${" + Display.brief(name) + "}" }
    fileprivate var text: String { "${" + name + (standard.map { ":-" + $0 } ?? "") + "}" }
  }

  package struct Malformed: Error, Equatable {
    package let reason: String

    package init(reason: String) { self.reason = reason }
  }

  package private(set) var pieces: [Piece] = []

  package init(pieces: [Piece]) {
    for piece in pieces {
      switch (self.pieces.last, piece) {
      case (_, .literal("")): break
      case (.literal(let left), .literal(let right)):
        self.pieces[self.pieces.count - 1] = .literal(left + right)
      default: self.pieces.append(piece)
      }
    }
  }

  package init(parsing text: String) throws(Malformed) {
    var pieces: [Piece] = []
    var rest = text.unicodeScalars[...]
    while let dollar = rest.firstIndex(of: "$") {
      pieces.append(.literal(String(rest[..<dollar])))
      let dollars = rest[dollar...].prefix { $0 == "$" }
      rest = rest[dollars.endIndex...]
      guard rest.first == "{" else {
        pieces.append(.literal(String(dollars)))
        continue
      }
      // two dollars before a brace are one that means nothing
      pieces.append(.literal(String(dollars.prefix(dollars.count / 2))))
      guard dollars.count % 2 == 1 else { continue }
      guard let end = rest.firstIndex(of: "}") else { throw Malformed(reason: "`${` is never closed") }
      let inner = rest[rest.index(after: rest.startIndex)..<end]
      pieces.append(.reference(try Self.reference(String(inner))))
      rest = rest[rest.index(after: end)...]
    }
    pieces.append(.literal(String(rest)))
    self.init(pieces: pieces)
  }

  private static func reference(_ inner: String) throws(Malformed) -> Reference {
    var name = inner
    var standard: String?
    if let colon = inner.firstIndex(of: ":"), inner[colon...].hasPrefix(":-") {
      name = String(inner[..<colon])
      standard = String(inner[colon...].dropFirst(2))
    }
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    let wellFormed =
      parts.count <= 2
      && parts.allSatisfy { part in
        !part.isEmpty && part.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_-".contains($0)) }
      }
    guard wellFormed else {
      throw Malformed(reason: "`${\(Display.brief(inner))}` is no reference such as `${vars.x}`")
    }
    guard standard == nil || parts.count == 1 else {
      throw Malformed(reason: "`${\(name):-…}`: only a variable of the environment has a default")
    }
    return Reference(name, standard: standard)
  }

  /// The form it is parsed from.
  package var text: String {
    var text = ""
    for (index, piece) in pieces.enumerated() {
      switch piece {
      case .reference(let reference): text += reference.text
      case .literal(let literal):
        let next = index + 1 < pieces.count
        text += Self.escaped(literal, beforeReference: next)
      }
    }
    return text
  }

  /// `literal` written so that no part of it is taken for a reference.
  package static func escaped(_ literal: String) -> String { escaped(literal, beforeReference: false) }

  private static func escaped(_ literal: String, beforeReference: Bool) -> String {
    var text = ""
    var dollars = 0
    for scalar in literal.unicodeScalars {
      if scalar == "$" {
        dollars += 1
        continue
      }
      text += String(repeating: "$", count: scalar == "{" ? dollars * 2 : dollars)
      text.unicodeScalars.append(scalar)
      dollars = 0
    }
    return text + String(repeating: "$", count: beforeReference ? dollars * 2 : dollars)
  }

  package var references: [Reference] {
    pieces.compactMap { if case .reference(let reference) = $0 { reference } else { nil } }
  }

  /// The one reference it is, where it is nothing else.
  package var onlyReference: Reference? {
    if pieces.count == 1, case .reference(let reference) = pieces[0] { reference } else { nil }
  }

  /// What a program gets to see once nothing is left to fill in.
  package var plain: String {
    pieces.map { piece in
      switch piece {
      case .literal(let literal): literal
      case .reference(let reference): reference.text
      }
    }.joined()
  }

  /// The same with every reference replaced by what `value` gives; `nil` leaves it.
  package func filling<Failure: Error>(
    _ value: (Reference) throws(Failure) -> [Piece]?
  ) throws(Failure) -> Template {
    var filled: [Piece] = []
    for piece in pieces {
      if case .reference(let reference) = piece, let value = try value(reference) {
        filled += value
      } else {
        filled.append(piece)
      }
    }
    return Template(pieces: filled)
  }
}
