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
    checkIdentity(node, manifest)
    guard let name = node["name"]?.text, let program = manifest?.program ?? node["run"]?.texts else {
      return nil
    }
    var stage = Stage(
      name: name, uses: manifest?.stage, program: program, params: node["params"]?.json.object ?? [:],
      needs: node["needs"]?.texts ?? previous.map { [$0] } ?? [], granularity: granularity(node),
      levelParams: levels, passthrough: manifest?.passthrough, timeout: node["timeout"]?.duration,
      retry: retry(node["retry"]), version: manifest?.version,
      pure: (node["pure"]?.flag ?? manifest?.pure ?? false) && (manifest?.pure ?? true),
      files: manifest == nil ? node["files"]?.texts : nil, splits: node["splits"]?.flag, when: node["when"]?.text,
      concurrency: node["concurrency"]?.whole, breaker: node["breaker"].map(breaker), each: node["each"].map(each))
    if let sample = node["medium"]?["sample"]?.fraction { stage.sample = sample }
    if let word = node["on_error"]?.text.flatMap({ Stage.OnError(rawValue: $0) }) { stage.onError = word }
    if let word = node["on_interrupt"]?.text.flatMap({ Stage.OnInterrupt(rawValue: $0) }) {
      stage.onInterrupt = word
    }
    stage.fallback = node["fallback"].map { $0["params"]?.json.object ?? [:] }
    if let limits = node["limits"] {
      stage.limits = ResourceLimits(
        memory: limits["memory"]?.size, openFiles: limits["open_files"]?.whole,
        cpuTime: limits["cpu_time"]?.duration, idle: limits["idle"]?.flag ?? false)
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
      params[level] = entry.value["params"]?.json.object ?? [:]
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
    let shares = [
      "jitter": node["retry"]?["jitter"], "min_success": node["each"]?["min_success"],
    ]
    let nested = node["each"]?["retry"]?["jitter"].map { ["jitter": $0] } ?? [:]
    for (key, share) in shares.compactMapValues({ $0 }).sorted(by: { $0.key < $1.key }) + nested.map({ ($0, $1) }) {
      if let part = share.percent, part > 1 {
        findings.error("`\(key)`: expected at most 100%, got \(share.described)", at: share.mark)
      }
    }
  }

  /// A registered stage is pure, and what its files are, by its manifest.
  private mutating func checkIdentity(_ node: Node, _ manifest: Manifest?) {
    guard let manifest else { return }
    if let splits = node.entry("splits") {
      findings.error(
        "`splits` is for stages with `run`: the manifest of `\(manifest.stage)` says it of its own", at: splits.mark)
    }
    if let files = node.entry("files") {
      findings.error(
        "`files` is for stages with `run`: the manifest of `\(manifest.stage)` has its own", at: files.mark)
    }
    if let pure = node.entry("pure"), pure.value.flag == true, !manifest.pure {
      findings.error(
        "`\(manifest.stage)` is not pure: its manifest would have to say so", at: pure.mark,
        hint: "remove `pure`; `pure: false` keeps a stage that is pure out of the cache")
    }
  }

  private func each(_ node: Node) -> Each {
    var each = Each(from: node["from"]?.text, rate: node["rate"]?.rate, retry: retry(node["retry"]))
    if let number = node["concurrency"]?.whole { each.concurrency = number }
    if let number = node["batch"]?.whole { each.batch = number }
    if let share = node["min_success"]?.percent { each.minSuccess = share }
    return each
  }

  private func breaker(_ node: Node) -> Breaker {
    var breaker = Breaker()
    if let number = node["failures"]?.whole { breaker.failures = number }
    if let time = node["cooldown"]?.duration { breaker.cooldown = time }
    return breaker
  }

  private func retry(_ node: Node?) -> RetryPolicy {
    var retry = RetryPolicy()
    if let attempts = node?["attempts"]?.whole { retry.attempts = attempts }
    if let backoff = node?["backoff"]?.duration { retry.backoff = backoff }
    if let factor = node?["factor"]?.number { retry.factor = factor }
    if let jitter = node?["jitter"]?.percent { retry.jitter = jitter }
    retry.on = node?["on"]?.texts?.compactMap(ErrorClass.init)
    return retry
  }
}
