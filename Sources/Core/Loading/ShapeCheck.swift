/// Tells everything about a tree that is not of a shape.
package struct ShapeCheck {
  package private(set) var findings = Findings()
  /// A base is completed by those that extend it, so a missing key is no error in it.
  private let allowsMissing: Bool

  package init(allowsMissing: Bool = false) { self.allowsMissing = allowsMissing }

  /// - Parameter subject: what an error calls the value, such as `` `timeout` ``.
  package mutating func check(_ node: Node, _ shape: Shape, _ subject: String) {
    switch shape {
    case .record(let record): checkRecord(node, record, subject)
    case .list(let element, let atLeast): checkList(node, element, atLeast, subject)
    case .map(let value):
      guard let entries = node.entries else { return mismatch(node, "a map", subject) }
      for entry in entries { check(entry.value, value, "`\(Display.brief(entry.key))`") }
    case .schema:
      if node.entries == nil { mismatch(node, "a map, a JSON Schema", subject) }
    case .orNull(let other): if !node.isNull { check(node, other, subject) }
    case .wordOr(let words, let record):
      if node.entries != nil { checkRecord(node, record, subject) } else { checkScalar(node, .word(words), subject) }
    case .any: break
    default: checkScalar(node, shape, subject)
    }
  }

  private mutating func checkRecord(_ node: Node, _ record: Record, _ subject: String) {
    guard let entries = node.entries else { return mismatch(node, "a map", subject) }
    for entry in entries {
      guard let field = record.field(entry.key) else {
        if record.isOpen { continue }
        findings.error(
          "unknown key `\(Display.brief(entry.key))` in \(record.title)", at: entry.mark,
          hint: Nearest.hint(for: entry.key, among: record.fields.map(\.key), called: "keys"))
        continue
      }
      switch field.standing {
      case .acted: break
      case .notYet:
        findings.warning("`\(entry.key)` is read but not acted on in this version", at: entry.mark)
      case .later(let hint):
        findings.error("`\(entry.key)` comes with a later version", at: entry.mark, hint: hint)
        continue
      }
      check(entry.value, field.shape, "`\(entry.key)`")
    }
    guard !allowsMissing else { return }
    for field in record.fields where field.isRequired && node[field.key] == nil {
      findings.error("missing key `\(field.key)` in \(record.title)", at: node.mark)
    }
  }

  private mutating func checkList(_ node: Node, _ element: Shape, _ atLeast: Int, _ subject: String) {
    guard let elements = node.elements else {
      let word = node.isNull ? nil : node.text
      let hint = word.map { subject == "`run`" ? CommandLineSlip.hint(for: $0) : "write `[\(Display.brief($0))]`" }
      return mismatch(node, "a list", subject, hint: hint)
    }
    if elements.count < atLeast { findings.error("\(subject) is empty", at: node.mark) }
    for each in elements { check(each, element, "an element of \(subject)") }
  }

  private mutating func checkScalar(_ node: Node, _ shape: Shape, _ subject: String) {
    guard let text = node.text, !node.isNull else {
      let many = node.elements != nil && shape.isPattern ? PatternSlip.many : nil
      return mismatch(node, shape.expectation, subject, hint: many)
    }
    guard (try? Template(parsing: text).references.isEmpty) ?? false else { return }
    switch shape {
    case .word(let words):
      guard !words.contains(text) else { return }
      findings.error(
        "\(subject): expected \(shape.expectation), got \(node.described)", at: node.mark,
        hint: Nearest.name(to: text, among: words).map { "did you mean `\($0)`?" })
    case .name(let rule):
      guard !rule.accepts(text) else { return }
      findings.error(
        "\(subject): \(node.described) is no name", at: node.mark, hint: "a name has \(rule.words)")
    case .flag, .whole, .number:
      if !shape.accepts(node.json) { mismatch(node, shape.expectation, subject) }
    default:
      do { try quantity(text, shape) } catch {
        return findings.error("\(subject): \(error.reason)", at: node.mark, hint: error.hint)
      }
      guard shape.isPattern, let warning = PatternSlip.warning(for: text) else { return }
      findings.warning("\(subject): \(warning)", at: node.mark, hint: "`*`, `?` and `{name}` are all there is")
    }
  }

  private func quantity(_ text: String, _ shape: Shape) throws(Quantity.Malformed) {
    switch shape {
    case .duration(let atLeast):
      guard try Quantity.duration(text) >= atLeast else {
        throw Quantity.Malformed(
          reason: "expected at least `\(Quantity.spelled(atLeast))`, got `\(text)`", hint: nil)
      }
    case .size: _ = try Quantity.size(text)
    case .percent: _ = try Quantity.percent(text)
    case .fraction: _ = try Quantity.fraction(text)
    case .rate: _ = try Quantity.rate(text)
    case .margin: if Node.plain(text).double == nil { _ = try Quantity.percent(text) }
    case .pattern: try pattern(text)
    default: break
    }
  }

  private func pattern(_ text: String) throws(Quantity.Malformed) {
    do { _ = try NamePattern(text) } catch {
      throw Quantity.Malformed(reason: error.reason, hint: PatternSlip.hint(for: text))
    }
  }

  private mutating func mismatch(
    _ node: Node, _ expected: String, _ subject: String, hint: String? = nil
  ) {
    findings.error("\(subject): expected \(expected), got \(node.described)", at: node.mark, hint: hint)
  }
}

extension Shape {
  fileprivate var isPattern: Bool { if case .pattern = self { true } else { false } }

  /// What an error says was expected.
  package var expectation: String {
    switch self {
    case .text: "text"
    case .name: "a name"
    case .word(let words), .wordOr(let words, _): "one of " + words.map { "`\($0)`" }.joined(separator: ", ")
    case .flag: "`true` or `false`"
    case .whole(let range):
      range.upperBound == .max
        ? "a whole number, at least \(range.lowerBound)"
        : range == .min ... .max
          ? "a whole number" : "a whole number from \(range.lowerBound) to \(range.upperBound)"
    case .number(let range):
      range.upperBound == .infinity
        ? "a number, at least \(Self.brief(range.lowerBound))"
        : "a number from \(Self.brief(range.lowerBound)) to \(Self.brief(range.upperBound))"
    case .duration: "a duration such as `90s`"
    case .size: "a size such as `10MiB`"
    case .percent: "a percentage such as `20%`"
    case .rate: "a rate such as `5/s`"
    case .fraction: "a part of a whole such as `20%` or `0.2`"
    case .margin: "a number or a percentage"
    case .pattern: "a pattern of file names such as `sales-{region}.csv`"
    case .list: "a list"
    case .map, .record: "a map"
    case .any: "a value"
    case .schema: "a map, a JSON Schema"
    case .orNull(let shape): shape.expectation
    }
  }

  fileprivate func accepts(_ value: JSON) -> Bool {
    switch (self, value) {
    case (.flag, .bool): true
    case (.whole(let range), .integer(let number)): range.contains(number)
    case (.number(let range), _): value.double.map(range.contains) ?? false
    default: false
    }
  }

  private static func brief(_ number: Double) -> String {
    number == number.rounded() && abs(number) < 1e15 ? String(Int(number)) : String(number)
  }
}
