/// Reads what a pipeline says of its trials.
struct TrialsDecoder {
  private(set) var findings = Findings()
  let stages: [Stage]
  let manifests: [String: Manifest]

  init(stages: [Stage], manifests: [String: Manifest]) {
    self.stages = stages
    self.manifests = manifests
  }

  mutating func decode(_ node: Node) -> TrialRules? {
    var rules = TrialRules()
    if let window = node["window"], let text = window.text {
      rules.window = TrialWindow(text)
      if rules.window == nil {
        findings.error(
          "`window`: expected two times of the day, got \(window.described)", at: window.mark,
          hint: "such as `01:00-04:00`")
      }
    }
    if let budget = node["budget"]?.duration { rules.budget = budget }
    if let node = node["share"], let share = node.percent {
      rules.share = share
      if share <= 0 {
        findings.error(
          "`share`: expected more than 0%, got \(node.described)", at: node.mark,
          hint: "without `window` trials run only when asked for")
      }
    }
    if let node = node["metric"], let metric = node.text {
      rules.metric = metric
      if metric.isEmpty {
        findings.error("`metric`: expected the name of a metric", at: node.mark, hint: "leave it out for `accuracy`")
      }
    }
    rules.goal = node["goal"]?.text.flatMap(TrialRules.Goal.init) ?? TrialRules.Goal(metric: rules.metric)
    if let stage = node["stage"] { rules.stage = known(stage) }
    if let margin = node["margin"] { rules.margin = self.margin(margin, of: rules.metric) }
    if let confidence = node["confidence"], let share = confidence.percent {
      rules.confidence = share
      if !(0.5..<1).contains(share) {
        findings.error(
          "`confidence`: expected at least `50%` and less than `100%`, got \(confidence.described)",
          at: confidence.mark, hint: "`95%` is wrong in one of twenty verdicts at most")
      }
    }
    if let folds = node["folds"]?.whole { rules.folds = folds }
    if let cost = node["cost"]?.text.flatMap(TrialRules.Cost.init) { rules.cost = cost }
    rules.relaxed = node["relaxed"]?.flag ?? false
    rules.arms = node["arms"]?.elements.map { $0.map { arm($0) } }
    var names: Set<String> = []
    for arm in node["arms"]?.elements ?? [] {
      guard let name = arm["name"], let text = name.text, !names.insert(text).inserted else { continue }
      findings.error("`arms`: two are called `\(Display.brief(text))`", at: name.mark)
    }
    let isAny = rules.arms != nil || stages.contains { $0.granularity == .auto }
    if !isAny, !findings.hasErrors {
      findings.error(
        "`trials` compare settings of stages that are `auto`, and there is none", at: node.mark,
        hint: "add `granularity: auto` to a stage")
    }
    return rules
  }

  private mutating func margin(_ node: Node, of metric: String) -> TrialRules.Margin {
    let margin = node.number.map { TrialRules.Margin.absolute($0) } ?? .share(node.percent ?? 0)
    if margin.value <= 0 {
      findings.error(
        "`margin`: expected more than 0, got \(node.described)", at: node.mark,
        hint: "no sample shows that two settings are exactly equal; `0.01` allows one point of a hundred")
    }
    if case .absolute(let value) = margin, value >= 1, metric == TrialRules().metric {
      findings.error(
        "`margin`: \(node.described) allows any loss, for `\(metric)` is at most 1", at: node.mark,
        hint: value < 100 ? "write `\(node.text ?? "")%` for a part of what full runs reach" : nil)
    }
    return margin
  }

  private mutating func known(_ node: Node) -> String? {
    guard let name = node.text else { return nil }
    let names = stages.map(\.name)
    if !names.contains(name) {
      findings.error(
        "no stage is called `\(Display.brief(name))`", at: node.mark,
        hint: Nearest.hint(for: name, among: names, called: "stages"))
    }
    return name
  }

  private mutating func arm(_ node: Node) -> TrialRules.Variant {
    var variant = TrialRules.Variant(name: node["name"]?.text ?? "")
    for entry in node["levels"]?.entries ?? [] { variant.levels[entry.key] = level(entry) }
    for entry in node["params"]?.entries ?? [] {
      if !stages.contains(where: { $0.name == entry.key }) {
        findings.error(
          "`arms`: no stage is called `\(Display.brief(entry.key))`", at: entry.mark,
          hint: Nearest.hint(for: entry.key, among: stages.map(\.name), called: "stages"))
      }
      variant.params[entry.key] = entry.value.json.object
    }
    if variant.levels.isEmpty, variant.params.isEmpty, node["levels"]?.entries?.isEmpty ?? true {
      findings.error(
        "`arms`: `\(Display.brief(variant.name))` changes nothing", at: node.mark, hint: "give it `levels` or `params`")
    }
    return variant
  }

  private mutating func level(_ entry: Node.Entry) -> Granularity? {
    guard let level = entry.value.text.flatMap(Granularity.init) else { return nil }
    let names = stages.filter { $0.granularity == .auto }.map(\.name)
    guard let stage = stages.first(where: { $0.name == entry.key }), stage.granularity == .auto else {
      findings.error(
        "`arms`: no stage that is `auto` is called `\(Display.brief(entry.key))`", at: entry.mark,
        hint: Nearest.hint(for: entry.key, among: names, called: "stages that are `auto`"))
      return nil
    }
    if let uses = stage.uses, let manifest = manifests[uses], !manifest.supported.contains(level) {
      findings.error(
        "`arms`: `\(uses)` does not support `\(level.rawValue)`", at: entry.value.mark,
        hint: "it supports " + manifest.supported.map { "`\($0.rawValue)`" }.joined(separator: ", "))
    }
    return level
  }
}
