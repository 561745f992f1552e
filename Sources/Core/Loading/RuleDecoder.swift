/// Makes the rules and targets of a pipeline; conditions are checked apart, for SQLite reads them.
struct RuleDecoder {
  private(set) var findings = Findings()
  let manifests: [String: Manifest]
  /// What only its children know may be missing.
  let isBase: Bool

  init(manifests: [String: Manifest], isBase: Bool) {
    self.manifests = manifests
    self.isBase = isBase
  }

  /// - Parameter names: of all stages that are written, also of those that are wrong or removed.
  /// - Returns: `nil` where the pipeline has none.
  mutating func decode(_ node: Node?, stages: [Stage], names: [String]) -> [Rule]? {
    guard let nodes = node?.elements, !nodes.isEmpty else { return nil }
    return nodes.compactMap { node in
      guard let stage = node["stage"]?.text, let when = node["when"]?.text,
        let set = node["set"]?.text.flatMap(Granularity.init)
      else { return nil }
      let rule = Rule(stage: stage, when: when, set: set, why: node["why"]?.text)
      if !isBase { check(rule, node, stages, names) }
      return rule
    }
  }

  private mutating func check(_ rule: Rule, _ node: Node, _ stages: [Stage], _ names: [String]) {
    guard let place = node["stage"]?.mark, let level = node["set"]?.mark, !names.isEmpty else { return }
    if !names.contains(where: rule.applies) {
      findings.error(
        "no stage is called `\(Display.brief(rule.stage))`", at: place,
        hint: Nearest.hint(for: rule.stage, among: names, called: "stages"))
      return
    }
    let meant = stages.filter { rule.applies(to: $0.name) }
    if meant.isEmpty { return }
    let automatic = meant.filter { $0.granularity == .auto }
    if automatic.isEmpty {
      findings.warning(
        "the rule decides nothing: \(Self.list(meant.map(\.name))) \(meant.count == 1 ? "is" : "are") not `auto`",
        at: place, hint: "`granularity: auto` of a stage leaves its level to rules, policy and trials")
    }
    let asked = automatic.isEmpty ? meant : automatic
    let unable = asked.filter { !supports(rule.set, $0) }
    if unable.count == asked.count, let first = unable.first, let uses = first.uses, let manifest = manifests[uses] {
      let able = manifest.supported.map { "`\($0.rawValue)` (\($0.gloss))" }.joined(separator: ", ")
      findings.error(
        "stage `\(first.name)` (`\(uses)`) does not support `\(rule.set.rawValue)` (\(rule.set.gloss))", at: level,
        hint: "it supports \(able)")
    } else if !unable.isEmpty {
      findings.warning(
        "\(Self.list(unable.map(\.name))) \(unable.count == 1 ? "does" : "do") not support `\(rule.set.rawValue)`: "
          + "there the next rule is asked", at: level)
    }
  }

  private func supports(_ level: Granularity, _ stage: Stage) -> Bool {
    guard let uses = stage.uses, let manifest = manifests[uses] else { return true }
    return manifest.supported.contains(level)
  }

  private static func list(_ names: [String]) -> String { names.map { "`\($0)`" }.joined(separator: ", ") }

  static func targets(_ node: Node) -> Targets {
    Targets(
      maxLatency: node["max_latency"]?.duration, cpu: node["cpu"]?.percent, memory: node["memory"]?.size,
      accuracy: node["accuracy"]?.number, priority: node["priority"]?.text.flatMap(Targets.Priority.init))
  }
}
