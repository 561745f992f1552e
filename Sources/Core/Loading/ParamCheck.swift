/// Checks parameters against the JSON Schema of a manifest, each at its own place.
///
/// It knows the part of draft 2020-12 that `ParamSchema.keywords` lists. A value that still holds `${…}` is text that
/// only a run knows: its kind is checked, its content is not.
package struct ParamCheck {
  package private(set) var findings = Findings()
  /// The registered stage, for the words of an error.
  private let stage: String

  package init(stage: String) { self.stage = stage }

  /// - Parameter isPartial: some of the parameters stand elsewhere, so none is found missing.
  package mutating func check(_ params: Node, against schema: JSON, isPartial: Bool) {
    check(params, schema, subject: "`params`", isPartial: isPartial)
  }

  private mutating func check(_ node: Node, _ schema: JSON, subject: String, isPartial: Bool) {
    let value = node.json
    let kinds = Self.kinds(schema["type"])
    guard kinds.isEmpty || kinds.contains(where: { Self.isKind($0, value) }) else {
      let expected = kinds.map(Self.words).joined(separator: " or ")
      let quotable = kinds.contains("string") && node.text != nil
      findings.error(
        "\(subject): expected \(expected), got \(Self.described(node))", at: node.mark,
        hint: quotable ? "quote it where text is meant: `\"\(Display.brief(node.text ?? ""))\"`" : nil)
      return
    }
    if let text = node.text, (try? Template(parsing: text).references.isEmpty) != true { return }
    checkChoice(node, value, schema, subject)
    checkBounds(node, value, schema, subject)
    if let elements = node.elements, let items = schema["items"] {
      for element in elements {
        check(element, items, subject: "an element of \(subject)", isPartial: false)
      }
    }
    if node.entries != nil { checkMembers(node, schema, subject, isPartial) }
  }

  private mutating func checkMembers(_ node: Node, _ schema: JSON, _ subject: String, _ isPartial: Bool) {
    let properties = schema["properties"]?.object ?? [:]
    for entry in node.entries ?? [] {
      let key = Display.brief(entry.key)
      if let property = properties[entry.key] {
        check(entry.value, property, subject: "`\(key)`", isPartial: isPartial)
      } else if schema["additionalProperties"]?.bool == false {
        findings.error(
          "`\(stage)` has no parameter `\(key)`", at: entry.mark,
          hint: Nearest.hint(for: entry.key, among: properties.keys.sorted(), called: "parameters"))
      } else if let other = schema["additionalProperties"], other.object != nil {
        check(entry.value, other, subject: "`\(key)`", isPartial: isPartial)
      }
    }
    guard !isPartial else { return }
    for key in schema["required"]?.array?.compactMap(\.string) ?? [] where node[key] == nil {
      findings.error("missing parameter `\(key)` in \(subject) of `\(stage)`", at: node.mark)
    }
  }

  private mutating func checkChoice(_ node: Node, _ value: JSON, _ schema: JSON, _ subject: String) {
    guard let choices = schema["enum"]?.array, !choices.contains(where: { Self.equal($0, value) }) else {
      return
    }
    let words = choices.map { $0.string ?? (try? $0.line()) ?? "" }
    findings.error(
      "\(subject): expected one of \(words.map { "`\(Display.brief($0))`" }.joined(separator: ", ")), got \(node.described)",
      at: node.mark,
      hint: Nearest.name(to: node.text ?? "", among: words).map { "did you mean `\(Display.brief($0))`?" })
  }

  private mutating func checkBounds(_ node: Node, _ value: JSON, _ schema: JSON, _ subject: String) {
    guard let number = value.double else { return }
    let bounds: [(key: String, holds: (Double) -> Bool, words: String)] = [
      ("minimum", { number >= $0 }, "at least"), ("maximum", { number <= $0 }, "at most"),
      ("exclusiveMinimum", { number > $0 }, "more than"), ("exclusiveMaximum", { number < $0 }, "less than"),
    ]
    for (key, holds, words) in bounds {
      guard let bound = schema[key], let limit = bound.double, !holds(limit) else { continue }
      findings.error(
        "\(subject): expected \(words) \((try? bound.line()) ?? String(limit)), got \(node.described)",
        at: node.mark)
    }
  }

  private static func kinds(_ type: JSON?) -> [String] {
    type?.string.map { [$0] } ?? type?.array?.compactMap(\.string) ?? []
  }

  private static func isKind(_ kind: String, _ value: JSON) -> Bool {
    switch (kind, value) {
    case ("null", .null), ("boolean", .bool), ("integer", .integer), ("number", .integer),
      ("number", .number), ("string", .string), ("array", .array), ("object", .object):
      true
    case ("integer", .number(let number)): number == number.rounded()
    default: false
    }
  }

  /// JSON Schema counts 1 and 1.0 as one number.
  private static func equal(_ left: JSON, _ right: JSON) -> Bool {
    if let left = left.double, let right = right.double { left == right } else { left == right }
  }

  private static func described(_ node: Node) -> String {
    if case .scalar(let text, quoted: true) = node.content {
      "the text \"\(Display.brief(text))\""
    } else {
      node.described
    }
  }

  private static func words(_ kind: String) -> String {
    switch kind {
    case "integer": "a whole number"
    case "number": "a number"
    case "boolean": "`true` or `false`"
    case "string": "text"
    case "array": "a list"
    case "object": "a map"
    default: "`null`"
    }
  }
}
