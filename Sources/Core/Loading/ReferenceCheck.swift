/// Checks that `${…}` stand only where somebody fills them in.
package struct ReferenceCheck {
  package private(set) var findings = Findings()
  /// `nil` where it is not known what the name of a drop yields.
  private let captures: [String]?

  private enum Place {
    /// Read when the pipeline is loaded.
    case fixed
    /// Filled when a run begins.
    case data
    /// Filled when a program starts, with these parameters where they are known.
    case arguments([String]?)
  }

  package init(captures: [String]?) { self.captures = captures }

  package mutating func check(_ document: Node) {
    for entry in document.entries ?? [] {
      switch entry.key {
      case "vars": break
      case "trigger":
        // the done file is read by itself
        for part in entry.value.entries ?? [] where part.key != "done_file" { check(part.value, .fixed) }
      case "data": check(entry.value, .data)
      case "stages": for stage in entry.value.elements ?? [] { checkStage(stage) }
      case "hooks": for event in entry.value.entries ?? [] { checkHooks(event.value) }
      default: check(entry.value, .fixed)
      }
    }
  }

  private mutating func checkStage(_ stage: Node) {
    let overlays = ["params"] + Granularity.names + ["fallback"]
    for entry in stage.entries ?? [] {
      switch entry.key {
      case "run":
        let params = overlays.flatMap { key in
          (key == "params" ? stage[key] : stage[key]?["params"])?.entries?.map(\.key) ?? []
        }
        check(entry.value, .arguments(params))
        checkCode(entry.value)
      case "params": check(entry.value, .data)
      case _ where overlays.contains(entry.key):
        for part in entry.value.entries ?? [] { check(part.value, part.key == "params" ? .data : .fixed) }
      default: check(entry.value, .fixed)
      }
    }
  }

  private mutating func checkHooks(_ hooks: Node) {
    for hook in hooks.elements ?? [] {
      for entry in hook.entries ?? [] {
        check(entry.value, entry.key == "run" ? .arguments(nil) : .fixed)
        if entry.key == "run" { checkCode(entry.value) }
      }
    }
  }

  /// Names of drops are strangers' text, and parameters may come from them.
  private mutating func checkCode(_ run: Node) {
    guard let words = run.elements, let code = InlineCode(in: words.map { $0.text ?? "" }),
      let text = words[code.index].text, let template = try? Template(parsing: text)
    else { return }
    for reference in template.references where ["input", "file", "params"].contains(reference.scope ?? reference.key) {
      findings.warning(
        "`\(reference.displayed)` becomes part of a program's text: who names a drop could write commands there",
        at: words[code.index].mark, hint: code.advice(for: reference.displayed))
    }
  }

  private mutating func check(_ node: Node, _ place: Place) {
    switch node.content {
    case .mapping(let entries): for entry in entries { check(entry.value, place) }
    case .sequence(let elements): for element in elements { check(element, place) }
    case .scalar(let text, _):
      guard text.contains("$"), let template = try? Template(parsing: text) else { return }
      for reference in template.references { check(reference, place, at: node.mark) }
    }
  }

  private mutating func check(_ reference: Template.Reference, _ place: Place, at mark: Mark) {
    if reference.scope == nil, EnvironmentFilling.ofDrops.contains(reference.key) {
      findings.error("`\(reference.displayed)` is known only in `trigger.done_file`", at: mark)
      return
    }
    // what nobody knows at all has been told already
    let isKnown =
      reference.scope.map { ["file", "params"].contains($0) }
      ?? EnvironmentFilling.reserved.contains(reference.key)
    guard isKnown else { return }
    switch (place, reference.scope) {
    case (.fixed, _):
      findings.error(
        "`\(reference.displayed)` is known only when a run begins", at: mark,
        hint: "it can stand in `params`, `run` and `data`")
    case (_, "file"): checkCapture(reference, at: mark)
    case (.data, _):
      findings.error(
        "`\(reference.displayed)` is known only when the program starts", at: mark,
        hint: "it can stand in `run`")
    case (.arguments(let params?), "params"):
      guard !params.contains(reference.key) else { return }
      findings.error(
        "the stage has no parameter `\(reference.key)`", at: mark,
        hint: Nearest.hint(for: reference.key, among: params, called: "`params` has")
          ?? "add it to `params`")
    case (.arguments, _):
      if reference.key == "kit" {
        findings.error("`${kit}` is known only in the manifest of a registered stage", at: mark)
      }
    }
  }

  private mutating func checkCapture(_ reference: Template.Reference, at mark: Mark) {
    guard let captures, !captures.contains(reference.key) else { return }
    findings.error(
      "`\(reference.displayed)`: `trigger.inbox` captures no `\(reference.key)`", at: mark,
      hint: Nearest.hint(for: reference.key, among: captures, called: "it captures")
        ?? "write `trigger: { inbox: \"…{\(reference.key)}…\" }`")
  }
}
