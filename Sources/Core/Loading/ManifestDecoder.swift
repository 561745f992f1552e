/// Makes a manifest of its file, or tells everything that is wrong with it.
package struct ManifestDecoder {
  package private(set) var findings = Findings()

  package init() {}

  /// - Parameters:
  ///   - name: the path of the file in `stages/` without its ending, which the stage must be called.
  ///   - kit: the directory `stages/`, an absolute path.
  package mutating func decode(_ root: Node, name: String, kit: String) -> Manifest? {
    var check = ShapeCheck()
    check.check(root, .record(ManifestShape.root), "a manifest")
    findings.add(check.findings)
    if let stage = root["stage"], let text = stage.text, text != name {
      findings.error(
        "`stage`: expected `\(Display.brief(name))`, the path of the file in `stages/`, got \(stage.described)",
        at: stage.mark)
    }
    if let params = root["params"] { checkSchema(params) }
    let levels = levels(root["granularity"])
    checkPassthrough(root, levels)
    for file in root["files"]?.elements ?? [] { checkInside(file) }
    checkReferences(root)
    if let worker = root.entry("worker"), root["persistent"]?.flag != true {
      findings.error("`worker` is for stages that are `persistent`", at: worker.mark, hint: "add `persistent: true`")
    }
    guard !findings.hasErrors, let stage = root["stage"]?.text, let program = root["run"]?.texts else {
      return nil
    }
    return Manifest(
      stage: stage, version: root["version"]?.text ?? "", summary: root["summary"]?.text ?? "",
      program: program, params: root["params"]?.json ?? .object([:]), levels: levels,
      inputs: root["inputs"]?.texts ?? [], outputs: root["outputs"]?.texts ?? [],
      passthrough: root["passthrough"]?.texts, pure: root["pure"]?.flag ?? false,
      splits: root["splits"]?.flag ?? false, persistent: root["persistent"]?.flag ?? false,
      worker: worker(root["worker"]),
      context: root["context"]?.texts, files: root["files"]?.texts ?? [], kit: kit)
  }

  private func worker(_ node: Node?) -> WorkerRules? {
    guard let node else { return nil }
    var rules = WorkerRules()
    if let number = node["in_flight"]?.whole { rules.inFlight = number }
    rules.most = node["most"]?.whole
    if let number = node["calls"]?.whole { rules.calls = number }
    if let age = node["age"]?.duration { rules.age = age }
    if let memory = node["memory"]?.size { rules.memory = memory }
    return rules
  }

  private func levels(_ node: Node?) -> [Granularity: String] {
    var levels: [Granularity: String] = [:]
    for level in Granularity.allCases { levels[level] = node?[level.rawValue]?.text }
    return levels
  }

  private mutating func checkSchema(_ node: Node) {
    guard let entries = node.entries else { return }
    for entry in entries {
      guard ParamSchema.keywords.contains(entry.key) else {
        findings.error(
          "`\(Display.brief(entry.key))` is no keyword of a parameter's schema", at: entry.mark,
          hint: Nearest.hint(for: entry.key, among: ParamSchema.keywords, called: "keywords"))
        continue
      }
      switch entry.key {
      case "properties":
        guard let properties = entry.value.entries else {
          findings.error("`properties`: expected a map, got \(entry.value.described)", at: entry.value.mark)
          break
        }
        for property in properties { checkSubschema(property.value, "`\(Display.brief(property.key))`") }
      case "items": checkSubschema(entry.value, "`items`")
      case "additionalProperties":
        if entry.value.flag == nil { checkSubschema(entry.value, "`additionalProperties`") }
      case "type": checkType(entry.value)
      case "enum", "required":
        if entry.value.elements == nil {
          findings.error(
            "`\(entry.key)`: expected a list, got \(entry.value.described)", at: entry.value.mark)
        }
      case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum":
        if entry.value.number == nil {
          findings.error(
            "`\(entry.key)`: expected a number, got \(entry.value.described)", at: entry.value.mark)
        }
      default: break
      }
    }
  }

  private mutating func checkSubschema(_ node: Node, _ subject: String) {
    if node.entries == nil {
      findings.error("\(subject): expected a map, a JSON Schema, got \(node.described)", at: node.mark)
    }
    checkSchema(node)
  }

  private mutating func checkType(_ node: Node) {
    for each in node.elements ?? [node] where !ParamSchema.types.contains(each.text ?? "") {
      findings.error(
        "`type`: \(each.described) is no type", at: each.mark,
        hint: Nearest.hint(for: each.text ?? "", among: ParamSchema.types, called: "types"))
    }
  }

  private mutating func checkPassthrough(_ root: Node, _ levels: [Granularity: String]) {
    guard let entry = root.entry("passthrough") else { return }
    if levels[.off] == nil {
      findings.error(
        "`passthrough` is for stages that support `off`", at: entry.mark,
        hint: "add `off:` to `granularity`, or remove it")
    }
    let inputs = root["inputs"]?.texts ?? []
    for name in entry.value.elements ?? [] where !inputs.contains(name.text ?? "") {
      findings.error(
        "`passthrough`: \(name.described) is no input", at: name.mark,
        hint: Nearest.hint(for: name.text ?? "", among: inputs, called: "inputs"))
    }
  }

  private mutating func checkInside(_ file: Node) {
    guard let text = file.text else { return }
    if text.hasPrefix("/") || text.split(separator: "/").contains("..") || text.isEmpty {
      findings.error(
        "`files`: \(file.described) is not inside the kit", at: file.mark,
        hint: "a path relative to `stages/`, without `..`")
    }
  }

  private mutating func refusePerCall(_ reference: String, at mark: Mark) {
    findings.error(
      "`run`: `\(reference)` differs from call to call, and a `persistent` stage is started once for many", at: mark,
      hint: "it stands in each request; take it out of `run`")
  }

  private mutating func checkReferences(_ root: Node) {
    let params = root["params"]?["properties"]?.entries?.map(\.key) ?? []
    for word in root["run"]?.elements ?? [] {
      guard let text = word.text else { continue }
      do {
        for reference in try Template(parsing: text).references {
          switch (reference.scope, reference.key) {
          case (nil, "input"), (nil, "out"):
            if root["persistent"]?.flag == true { refusePerCall(reference.displayed, at: word.mark) }
          case (nil, let key) where EnvironmentFilling.reserved.contains(key): break
          case ("params", let key) where params.contains(key): break
          default:
            findings.error(
              "`run`: nothing is known as `\(reference.displayed)`", at: word.mark,
              hint: "`${kit}`, `${input}`, `${home}`, `${out}` and `${params.x}` are")
          }
        }
      } catch { findings.error("`run`: \(error.reason)", at: word.mark) }
    }
  }
}
