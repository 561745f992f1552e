/// Lays one pipeline's text over that of the pipeline it extends.
package struct Extending {
  package private(set) var findings = Findings()

  package static let mostStages = 1000

  package init() {}

  /// Merges maps deeply and stages by name; anything else of `child` replaces what `base` has.
  ///
  /// A stage keeps the place its base gave it; a new one goes to the end, or where its `after:` says. Merging is
  /// associative where the same key has the same kind of value everywhere and no `after:` is used.
  package mutating func merge(_ base: Node, _ child: Node) -> Node {
    guard let inherited = base.entries, let own = child.entries else { return child }
    var entries = inherited
    for entry in own {
      guard let index = entries.firstIndex(where: { $0.key == entry.key }) else {
        entries.append(entry)
        continue
      }
      let old = entries[index].value
      var merged = entry
      if entry.key == "stages", let below = old.elements, let above = entry.value.elements {
        merged.value = Node(.sequence(mergeStages(below, above)), at: entry.value.mark)
      } else {
        merged.value = Self.deep(old, entry.value)
      }
      entries[index] = merged
    }
    return Node(.mapping(entries), at: child.mark)
  }

  /// Puts the stages of a pipeline that extends none where their `after:` says.
  package mutating func place(_ document: Node) -> Node {
    guard var entries = document.entries,
      let index = entries.firstIndex(where: { $0.key == "stages" }),
      let stages = entries[index].value.elements
    else { return document }
    entries[index].value.content = .sequence(mergeStages([], stages))
    return Node(.mapping(entries), at: document.mark)
  }

  private static func deep(_ base: Node, _ child: Node) -> Node {
    guard var entries = base.entries, let own = child.entries else { return child }
    let places = Dictionary(entries.enumerated().map { ($1.key, $0) }) { first, _ in first }
    for entry in own {
      if let index = places[entry.key] {
        entries[index] = Node.Entry(
          key: entry.key, mark: entry.mark, value: deep(entries[index].value, entry.value))
      } else {
        entries.append(entry)
      }
    }
    return Node(.mapping(entries), at: child.mark)
  }

  private mutating func mergeStages(_ base: [Node], _ child: [Node]) -> [Node] {
    guard base.count + child.count <= Self.mostStages else {
      findings.error(
        "a pipeline has at most \(Self.mostStages) stages, this one has \(base.count + child.count)",
        at: child.last?.mark ?? Mark(file: ""))
      return base
    }
    refuseTwins(child)
    let inherited = Set(base.compactMap { $0["name"]?.text })
    var stages = base
    var anchored: [String: Int] = [:]
    for stage in child {
      var stage = stage
      let after = stage.entry("after")
      if let name = stage["name"]?.text, let index = stages.firstIndex(where: { $0["name"]?.text == name }),
        inherited.contains(name)
      {
        stage = Self.stage(stages[index], under: stage)
        if after == nil {
          stages[index] = stage
          continue
        }
        stages.remove(at: index)
      } else if !base.isEmpty, removesNothing(stage, inherited) {
        continue
      }
      stage = stage.removing("after")
      guard let after, let anchor = after.value.text else {
        stages.append(stage)
        continue
      }
      guard let index = stages.firstIndex(where: { $0["name"]?.text == anchor }) else {
        let names = stages.compactMap { $0["name"]?.text }
        findings.error(
          "`after`: there is no stage `\(Display.brief(anchor))` before this one", at: after.value.mark,
          hint: Nearest.hint(for: anchor, among: names, called: "stages"))
        stages.append(stage)
        continue
      }
      let offset = anchored[anchor, default: 0]
      anchored[anchor] = offset + 1
      stages.insert(stage, at: min(index + 1 + offset, stages.count))
    }
    return stages
  }

  /// What a stage runs is one thing: `run` takes the place of an inherited `uses`, and the other way round.
  private static func stage(_ base: Node, under child: Node) -> Node {
    var base = base
    if child["run"] != nil { base = base.removing("uses") }
    if child["uses"] != nil { base = base.removing("run") }
    return deep(base, child)
  }

  private mutating func refuseTwins(_ stages: [Node]) {
    var places: [String: Mark] = [:]
    for stage in stages {
      guard let name = stage["name"], let text = name.text else { continue }
      if let first = places[text] {
        findings.error(
          "two stages are called `\(Display.brief(text))`", at: name.mark,
          hint: "the first is in line \(first.line), column \(first.column)")
      } else {
        places[text] = name.mark
      }
    }
  }

  /// `enabled: false` of a stage that nobody has is a slip of the pen.
  private mutating func removesNothing(_ stage: Node, _ inherited: Set<String>) -> Bool {
    guard stage["enabled"]?.text == "false", stage["uses"] == nil, stage["run"] == nil,
      let name = stage["name"], let text = name.text
    else { return false }
    findings.error(
      "no stage `\(Display.brief(text))` is inherited that could be removed", at: name.mark,
      hint: Nearest.hint(for: text, among: inherited.sorted(), called: "inherited stages"))
    return true
  }
}

extension Node {
  package func removing(_ key: String) -> Node {
    guard let entries else { return self }
    return Node(.mapping(entries.filter { $0.key != key }), at: mark)
  }
}
