/// Fills `${vars.x}`; a value that is nothing else keeps the type of the variable.
package struct VariableFilling {
  package private(set) var findings = Findings()
  private let variables: [String: Node]
  /// A base may use what only those that extend it define.
  private let allowsUnknown: Bool
  private var resolved: [String: Node] = [:]
  private var resolving: [String] = []
  private var budget: Int

  /// Bytes that variables may grow a pipeline by: a few that name each other could fill any memory.
  package static let longest = 4 << 20

  package init(_ variables: [Node.Entry], allowsUnknown: Bool) {
    self.variables = Dictionary(variables.map { ($0.key, $0.value) }) { first, _ in first }
    self.allowsUnknown = allowsUnknown
    budget = Self.longest
  }

  package mutating func fill(_ node: Node) -> Node {
    node.mappingScalars { scalar in fill(scalar: scalar) }
  }

  private mutating func fill(scalar: Node) -> Node {
    guard case .scalar(let text, let quoted) = scalar.content, text.contains("$"),
      let template = try? Template(parsing: text)
    else { return scalar }
    if let only = template.onlyReference, only.scope == "vars" {
      guard let value = value(of: only, at: scalar.mark) else { return scalar }
      return Node(value.content, at: scalar.mark)
    }
    let filled = template.filling { reference -> [Template.Piece]? in
      guard reference.scope == "vars", let value = value(of: reference, at: scalar.mark) else { return nil }
      guard let text = value.text, let inner = try? Template(parsing: text) else {
        findings.error(
          "`\(reference.displayed)` is \(value.described); it can only stand alone", at: scalar.mark)
        return nil
      }
      return inner.pieces
    }
    return Node(.scalar(filled.text, quoted: quoted), at: scalar.mark)
  }

  private mutating func value(of reference: Template.Reference, at mark: Mark) -> Node? {
    let key = reference.key
    guard let raw = variables[key] else {
      if !allowsUnknown {
        findings.error(
          "unknown variable `\(reference.displayed)`", at: mark,
          hint: variables.isEmpty
            ? "add `vars: { \(Display.brief(key)): … }`"
            : Nearest.hint(for: key, among: variables.keys.sorted(), called: "`vars` has"))
      }
      return nil
    }
    guard !resolving.contains(key) else {
      let circle = (resolving + [key]).map { "`\($0)`" }.joined(separator: " → ")
      findings.error("`vars` go round in a circle: \(circle)", at: mark)
      return nil
    }
    if resolved[key] == nil {
      resolving.append(key)
      resolved[key] = fill(raw)
      resolving.removeLast()
    }
    guard let value = resolved[key] else { return nil }
    budget -= budget < 0 ? 0 : value.weight
    guard budget >= 0 else {
      findings.error("`vars` make the pipeline grow by more than \(Self.longest >> 20) MiB", at: mark)
      return nil
    }
    return value
  }
}

extension Node {
  /// About what it takes in memory, bytes.
  fileprivate var weight: Int {
    switch content {
    case .scalar(let text, _): 16 + text.utf8.count
    case .sequence(let elements): elements.reduce(16) { $0 + $1.weight }
    case .mapping(let entries): entries.reduce(16) { $0 + $1.key.utf8.count + $1.value.weight }
    }
  }
}
