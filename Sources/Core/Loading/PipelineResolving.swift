extension Pipeline {
  /// The pipeline as one run has it: `${file.…}` and `${kit}` filled in, and `--set` values in place of those of
  /// `vars`.
  ///
  /// What a program's start fills in (`${input}` and the like) stays; what is filled in here is never read for
  /// references again, so no file name can get at them.
  /// - Parameter set: values by variable, as typed.
  /// - Throws: `InvalidPipeline` where a variable is unknown, a value does not fit its place, or the drop's name
  ///   yields no such part.
  package func resolved(
    captures: [String: String], set: [String: String] = [:]
  ) throws(InvalidPipeline) -> Pipeline {
    var pipeline = set.isEmpty ? self : try setting(set)
    var filling = CaptureFilling(captures)
    pipeline.stages = pipeline.stages.map { stage in
      filling.fill(stage, kit: manifest(of: stage)?.kit)
    }
    pipeline.sources = pipeline.sources.map { DataSource(type: $0.type, path: filling.plain($0.path)) }
    pipeline.hooks = pipeline.hooks.mapValues { hooks in
      hooks.map { hook in
        var hook = hook
        hook.program = hook.program.map { filling.template($0) }
        return hook
      }
    }
    guard filling.findings.diagnostics.isEmpty else {
      throw InvalidPipeline(filling.findings.diagnostics)
    }
    return pipeline
  }

  private func setting(_ values: [String: String]) throws(InvalidPipeline) -> Pipeline {
    guard var origin, var root = origin.document.entries else {
      throw InvalidPipeline([Diagnostic(at: Mark(file: "--set"), "pipeline `\(name)` has no `vars`")])
    }
    var variables = origin.document["vars"]?.entries ?? []
    var findings = Findings()
    for (key, value) in values.sorted(by: { $0.key < $1.key }) {
      let mark = Mark(file: "--set \(Display.brief(key))")
      guard let index = variables.firstIndex(where: { $0.key == key }) else {
        findings.error(
          "pipeline `\(name)` has no variable `\(Display.brief(key))`", at: mark,
          hint: Nearest.hint(for: key, among: variables.map(\.key), called: "`vars`"))
        continue
      }
      // text stays text: `--set code=007` where the file says "001"
      let isText = variables[index].value.json.string != nil
      variables[index].value = Node(.scalar(Template.escaped(value), quoted: isText), at: mark)
    }
    guard !findings.hasErrors else { throw InvalidPipeline(findings.diagnostics) }
    if let index = root.firstIndex(where: { $0.key == "vars" }) {
      root[index].value = Node(.mapping(variables), at: root[index].value.mark)
    }
    origin.document.content = .mapping(root)
    var decoder = PipelineDecoder(origin)
    guard let pipeline = decoder.decode() else { throw InvalidPipeline(decoder.findings.diagnostics) }
    return pipeline
  }
}

/// Fills `${file.…}` from what the name of the drop yielded.
private struct CaptureFilling {
  private(set) var findings = Findings()
  private let captures: [String: String]

  init(_ captures: [String: String]) { self.captures = captures }

  mutating func fill(_ stage: Stage, kit: String?) -> Stage {
    var stage = stage
    stage.params = stage.params.mapValues { fill($0) }
    stage.levelParams = stage.levelParams.mapValues { $0.mapValues { fill($0) } }
    stage.fallback = stage.fallback?.mapValues { fill($0) }
    stage.program = stage.program.map { stage.uses == nil ? template($0) : filled($0, kit: kit) }
    return stage
  }

  /// Text that nobody fills any more.
  mutating func plain(_ text: String) -> String { filled(text)?.plain ?? text }

  /// Text that the start of a program fills further.
  mutating func template(_ text: String) -> String { filled(text)?.text ?? text }

  private func filled(_ text: String, kit: String?) -> String {
    guard let kit, !kit.isEmpty, let template = try? Template(parsing: text) else { return text }
    return template.filling { $0.name == "kit" ? [.literal(kit)] : nil }.text
  }

  private mutating func fill(_ value: JSON) -> JSON {
    switch value {
    case .string(let text): .string(plain(text))
    case .array(let elements): .array(elements.map { fill($0) })
    case .object(let members): .object(members.mapValues { fill($0) })
    default: value
    }
  }

  private mutating func filled(_ text: String) -> Template? {
    guard text.contains("$"), let template = try? Template(parsing: text) else { return nil }
    return template.filling { reference -> [Template.Piece]? in
      guard reference.scope == "file" else { return nil }
      if let value = captures[reference.key] { return [.literal(value)] }
      findings.error(
        "`\(reference.displayed)` is not known: the run has no drop whose name yields it",
        at: Mark(file: "run"))
      return nil
    }
  }
}
