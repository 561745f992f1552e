/// Makes a pipeline of a merged document, or tells everything that is wrong with it.
package struct PipelineDecoder {
  package private(set) var findings = Findings()
  private let origin: PipelineOrigin
  /// A base is there to be extended: what only its children know may be missing.
  private let isBase: Bool
  /// Names of all registered stages, for the nearest one.
  private let registered: [String]

  package init(_ origin: PipelineOrigin, registered: [String]? = nil, isBase: Bool = false) {
    self.origin = origin
    self.registered = registered ?? origin.manifests.keys.sorted()
    self.isBase = isBase
  }

  /// `nil` where something is wrong; then `findings` says what.
  package mutating func decode() -> Pipeline? {
    if refuseDeclarative() { return nil }
    var filling = VariableFilling(origin.document["vars"]?.entries ?? [], allowsUnknown: isBase)
    let document = filling.fill(origin.document)
    findings.add(filling.findings)
    var check = ShapeCheck(allowsMissing: isBase)
    check.check(document, .record(PipelineShape.root), "a pipeline file")
    findings.add(check.findings)
    guard document.entries != nil else { return nil }

    let inbox = document["trigger"]?["inbox"].flatMap { $0.text.flatMap { try? NamePattern($0) } }
    let hasInbox = document["trigger"]?["inbox"] != nil
    let doneFile = decodeDoneFile(document["trigger"]?["done_file"])
    var schedule = ScheduleDecoder(allowsMissing: isBase)
    let scheduled = document["trigger"]?["schedule"].flatMap { schedule.decode($0) }
    findings.add(schedule.findings)
    var references = ReferenceCheck(
      captures: isBase || (hasInbox && inbox == nil) ? nil : inbox?.captureNames ?? [])
    references.check(document)
    findings.add(references.findings)

    if document["stages"] == nil, !isBase {
      findings.error(
        "missing key `stages` in a pipeline file", at: document.mark,
        hint: "list the programs, or build on another pipeline with `extends`")
    }
    let stages = decodeStages(document["stages"]?.elements ?? [], in: document)
    let hooks = decodeHooks(document["hooks"], stages: stages)
    var trials = TrialsDecoder(stages: stages, manifests: origin.manifests)
    let trialRules = isBase ? nil : document["trials"].flatMap { trials.decode($0) }
    findings.add(trials.findings)
    var rules = RuleDecoder(manifests: origin.manifests, isBase: isBase)
    let decodedRules = rules.decode(
      document["rules"], stages: stages,
      names: (document["stages"]?.elements ?? []).compactMap { $0["name"]?.text })
    findings.add(rules.findings)
    guard !findings.hasErrors, let name = document["pipeline"]?["name"]?.text else { return nil }
    return Pipeline(
      name: name, label: document["pipeline"]?["version"]?.text,
      trigger: PipelineTrigger(
        inbox: inbox, priority: document["trigger"]?["priority"]?.whole ?? 0,
        onConfig: document["trigger"]?["on_config"]?.flag ?? false,
        duplicates: document["trigger"]?["duplicates"]?.text.flatMap(DuplicateRule.init),
        doneFile: doneFile, schedule: scheduled),
      sources: (document["data"]?["sources"]?.elements ?? []).compactMap { source in
        guard let type = source["type"]?.text, let path = source["path"]?.text else { return nil }
        return DataSource(type: type, path: path)
      },
      stages: stages, hooks: hooks, environment: document["env"]?.texts ?? [],
      vars: document["vars"]?.json.object ?? [:], timeout: document["pipeline"]?["timeout"]?.duration,
      concurrency: document["pipeline"]?["concurrency"]?.whole,
      targets: document["targets"].map(RuleDecoder.targets), rules: decodedRules, trials: trialRules, origin: origin)
  }

  private mutating func decodeDoneFile(_ node: Node?) -> DoneFile? {
    guard let node, let text = node.text else { return nil }
    do { return try DoneFile(text) } catch {
      findings.error("`done_file`: \(error.reason)", at: node.mark)
      return nil
    }
  }

  /// The form that describes an experiment instead of stages.
  private mutating func refuseDeclarative() -> Bool {
    guard let found = origin.document.entries?.first(where: { PipelineShape.declarative.contains($0.key) })
    else { return false }
    findings.error(
      "`\(found.key)` belongs to the declarative experiment form, which comes with a later version",
      at: found.mark,
      hint: "write `pipeline: { name: …, extends: base/tabular }` and set `params` of its stages")
    return true
  }

  private mutating func decodeStages(_ nodes: [Node], in document: Node) -> [Stage] {
    let disabled = nodes.filter { $0["enabled"]?.flag == false }.compactMap { $0["name"]?.text }
    let enabled = nodes.filter { $0["enabled"]?.flag != false }
    if enabled.isEmpty, !nodes.isEmpty {
      findings.error("every stage is removed", at: document["stages"]?.mark ?? document.mark)
    }
    let names = enabled.compactMap { $0["name"]?.text }
    var graph = StageGraph(names: names, disabled: disabled)
    var stages: [Stage] = []
    var places: [StageGraph.Place] = []
    for node in enabled {
      var decoder = StageDecoder(
        manifests: origin.manifests, registered: registered, isBase: isBase,
        previous: stages.last?.name)
      let stage = decoder.decode(node)
      findings.add(decoder.findings)
      let place = StageGraph.Place(stage: node.mark, needs: node["needs"])
      if let stage {
        stages.append(stage)
        places.append(place)
      } else {
        graph.check(node["needs"]?.texts ?? [], of: node["name"]?.text ?? "", place)
      }
    }
    let ordered = graph.order(stages, places)
    findings.add(graph.findings)
    var items = EachCheck(manifests: origin.manifests)
    for node in enabled where !isBase {
      guard let each = node["each"], let stage = stages.first(where: { $0.name == node["name"]?.text }) else {
        continue
      }
      items.check(stage, among: stages, at: each.mark)
    }
    findings.add(items.findings)
    return ordered
  }

  private mutating func decodeHooks(_ node: Node?, stages: [Stage]) -> [String: [HookProgram]] {
    var hooks: [String: [HookProgram]] = [:]
    let names = (origin.document["stages"]?.elements ?? []).compactMap { $0["name"]?.text }
    let events = HookNames.all(stages: names)
    for entry in node?.entries ?? [] {
      if !events.contains(entry.key) {
        findings.error(
          "no event is called `\(Display.brief(entry.key))`", at: entry.mark,
          hint: Nearest.hint(for: entry.key, among: events, called: "events"))
      }
      hooks[entry.key] = (entry.value.elements ?? []).compactMap { hook in
        check(scope: hook.entry("stages"), of: entry.key, names)
        guard let program = hook["run"]?.texts else { return nil }
        return HookProgram(
          program: program, timeout: hook["timeout"]?.duration ?? origin.hookTimeout,
          onError: hook["on_error"]?.text.flatMap { HookProgram.OnError(rawValue: $0) },
          persistent: hook["persistent"]?.flag, stages: hook["stages"]?.texts)
      }
    }
    return hooks
  }

  private mutating func check(scope: Node.Entry?, of event: String, _ names: [String]) {
    guard let scope else { return }
    if !["before-stage", "after-stage"].contains(event) {
      findings.error(
        "`stages` is for hooks of `before-stage` and `after-stage`, not of `\(Display.brief(event))`", at: scope.mark,
        hint: "remove `stages`")
    }
    for pattern in scope.value.elements ?? [] {
      guard let text = pattern.text, !names.contains(where: { StagePattern(text).matches($0) }) else { continue }
      findings.error(
        "no stage is called `\(Display.brief(text))`", at: pattern.mark,
        hint: Nearest.hint(for: text, among: names, called: "stages"))
    }
  }
}
