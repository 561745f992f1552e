/// Fills `${NAME}` and `${NAME:-default}` from the environment; what is filled in is text and nothing else.
package struct EnvironmentFilling {
  package private(set) var findings = Findings()
  private let environment: [String: String]
  private let secrets: Set<String>

  /// Words that look like variables and are known only when a program starts.
  package static let reserved: Set<String> = ["input", "home", "out", "kit"]
  /// Words that stand for a drop in `trigger.done_file`.
  package static let ofDrops = Set(DoneFile.Part.allCases.map(\.rawValue))
  package static let scopes = ["vars", "file", "params"]

  /// - Parameter secrets: names whose values may not get into a pipeline, whose text is kept and shown; names that
  ///   look like those of secrets never may.
  package init(environment: [String: String], secrets: some Sequence<String>) {
    self.environment = environment
    self.secrets = Set(secrets)
  }

  package mutating func fill(_ node: Node) -> Node {
    node.mappingScalars { scalar in fill(scalar: scalar) }
  }

  private mutating func fill(scalar: Node) -> Node {
    guard case .scalar(let text, let quoted) = scalar.content, text.contains("$") else { return scalar }
    let template: Template
    do { template = try Template(parsing: text) } catch {
      findings.error(error.reason, at: scalar.mark, hint: "write `$${` for a plain `${`")
      return scalar
    }
    let filled = template.filling { value(of: $0, at: scalar.mark) }
    return Node(.scalar(filled.text, quoted: quoted), at: scalar.mark)
  }

  private mutating func value(of reference: Template.Reference, at mark: Mark) -> [Template.Piece]? {
    if let scope = reference.scope {
      if !Self.scopes.contains(scope) {
        findings.error(
          "nothing is known as `\(reference.displayed)`", at: mark,
          hint: Nearest.hint(for: scope, among: Self.scopes, called: "what stands before the dot"))
      }
      return nil
    }
    let name = reference.name
    if Self.reserved.contains(name) || Self.ofDrops.contains(name) { return nil }
    guard NameRule.variable.accepts(name) else {
      findings.error("`\(reference.displayed)` is no variable", at: mark)
      return nil
    }
    guard !secrets.contains(name), !SecretMask.looksSecret(name: name) else {
      findings.error(
        "`\(name)` is a secret, and the text of a pipeline is kept and shown", at: mark,
        hint: "pass it to the programs with `env: [\(name)]`")
      return nil
    }
    // as in a shell, `:-` also stands in for a variable that is empty
    if let value = environment[name], !(value.isEmpty && reference.standard != nil) {
      return [.literal(value)]
    }
    if let standard = reference.standard { return [.literal(standard)] }
    findings.error(
      "`${\(name)}` is not set in the environment", at: mark,
      hint: reservedNear(name) ?? "set it, or write `${\(name):-default}`")
    return nil
  }

  private func reservedNear(_ name: String) -> String? {
    Nearest.name(to: name, among: Self.reserved).map { "did you mean `${\($0)}`?" }
  }
}
