/// Makes one stage of its map.
package struct StageDecoder {
  package private(set) var findings = Findings()
  private let manifests: [String: Manifest]
  private let registered: [String]
  private let isBase: Bool
  /// The stage before this one, its input where `needs` is silent.
  private let previous: String?

  package init(manifests: [String: Manifest], registered: [String], isBase: Bool, previous: String?) {
    self.manifests = manifests
    self.registered = registered
    self.isBase = isBase
    self.previous = previous
  }

  package mutating func decode(_ node: Node) -> Stage? {
    guard node.entries != nil else { return nil }
    if let name = node["name"], ["run", "stage"].contains(name.text) {
      findings.error(
        "a stage may not be called `\(name.text ?? "")`", at: name.mark,
        hint: "its hooks could not be told from those of every \(name.text ?? "")")
    }
    let manifest = manifest(of: node)
    let levels = decodeLevels(node, manifest)
    if let manifest { checkParams(node, manifest) }
    checkJitter(node)
    guard let name = node["name"]?.text, let program = manifest?.program ?? node["run"]?.texts else {
      return nil
    }
    var stage = Stage(
      name: name, uses: manifest?.stage, program: program, params: node["params"]?.json.object ?? [:],
      needs: node["needs"]?.texts ?? previous.map { [$0] } ?? [], granularity: granularity(node),
      levelParams: levels, passthrough: manifest?.passthrough, timeout: node["timeout"]?.duration,
      retry: retry(node["retry"]), version: manifest?.version, pure: manifest?.pure ?? false)
    if let sample = node["medium"]?["sample"]?.fraction { stage.sample = sample }
    if let word = node["on_error"]?.text.flatMap({ Stage.OnError(rawValue: $0) }) { stage.onError = word }
    if let word = node["on_interrupt"]?.text.flatMap({ Stage.OnInterrupt(rawValue: $0) }) {
      stage.onInterrupt = word
    }
    stage.fallback = node["fallback"].map { $0["params"]?.json.object ?? [:] }
    if let limits = node["limits"] {
      stage.limits = ResourceLimits(
        memory: limits["memory"]?.size, openFiles: limits["open_files"]?.whole,
        idle: limits["idle"]?.flag ?? false)
    }
    return stage
  }

  private mutating func manifest(of node: Node) -> Manifest? {
    let subject = node["name"]?.text.map { "stage `\(Display.brief($0))`" } ?? "a stage"
    if let uses = node.entry("uses"), let run = node.entry("run") {
      findings.error(
        "\(subject) has both `uses` and `run`", at: max(uses.mark, run.mark),
        hint: "`uses` names a registered stage, `run` a program of your own")
      return nil
    }
    guard let uses = node["uses"] else {
      if node["run"] == nil, !isBase {
        findings.error(
          "\(subject) has neither `uses` nor `run`", at: node["name"]?.mark ?? node.mark,
          hint: "`uses` names a registered stage, `run` a program of your own")
      }
      return nil
    }
    guard let name = uses.text, !name.contains("$") else { return nil }
    if let manifest = manifests[name] { return manifest }
    findings.error(
      "no stage `\(Display.brief(name))` is registered", at: uses.mark,
      hint: registered.isEmpty
        ? "no stage is registered at all: `kit:` in etc/penstock.yaml names the stages/ of a checkout; `penstock doctor` tells"
        : Nearest.name(to: name, among: registered).map { "did you mean `\(Display.brief($0))`?" }
          ?? "`penstock stages` lists those there are")
    return nil
  }

  private func granularity(_ node: Node) -> StageGranularity {
    switch node["granularity"]?.text {
    case nil: .fixed(.coarse, said: false)
    case "auto": .auto
    case let word?: .fixed(Granularity(rawValue: word) ?? .coarse, said: true)
    }
  }

  private mutating func decodeLevels(_ node: Node, _ manifest: Manifest?) -> [Granularity: [String: JSON]] {
    if let level = node["granularity"]?.text.flatMap({ Granularity(rawValue: $0) }),
      let mark = node["granularity"]?.mark
    {
      refuseUnsupported(level, manifest, at: mark)
    }
    var params: [Granularity: [String: JSON]] = [:]
    for level in Granularity.allCases {
      guard let entry = node.entry(level.rawValue) else { continue }
      refuseUnsupported(level, manifest, at: entry.mark)
      if let own = entry.value["params"]?.json.object { params[level] = own }
    }
    return params
  }

  private mutating func refuseUnsupported(_ level: Granularity, _ manifest: Manifest?, at mark: Mark) {
    guard let manifest, !manifest.supported.contains(level) else { return }
    let able = manifest.supported.map { "`\($0.rawValue)` (\($0.gloss))" }.joined(separator: ", ")
    findings.error(
      "`\(manifest.stage)` does not support `\(level.rawValue)` (\(level.gloss))", at: mark,
      hint: "it supports \(able)")
  }

  private mutating func checkParams(_ node: Node, _ manifest: Manifest) {
    var check = ParamCheck(stage: manifest.stage)
    let empty = Node(.mapping([]), at: node["name"]?.mark ?? node.mark)
    check.check(node["params"] ?? empty, against: manifest.params, isPartial: isBase)
    for key in Granularity.names + ["fallback"] {
      if let params = node[key]?["params"] { check.check(params, against: manifest.params, isPartial: true) }
    }
    findings.add(check.findings)
  }

  private mutating func checkJitter(_ node: Node) {
    if let jitter = node["retry"]?["jitter"], let share = jitter.percent, share > 1 {
      findings.error("`jitter`: expected at most 100%, got \(jitter.described)", at: jitter.mark)
    }
  }

  private func retry(_ node: Node?) -> RetryPolicy {
    var retry = RetryPolicy()
    if let attempts = node?["attempts"]?.whole { retry.attempts = attempts }
    if let backoff = node?["backoff"]?.duration { retry.backoff = backoff }
    if let factor = node?["factor"]?.number { retry.factor = factor }
    if let jitter = node?["jitter"]?.percent { retry.jitter = jitter }
    return retry
  }
}
