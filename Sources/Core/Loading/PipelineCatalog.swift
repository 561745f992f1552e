package import Foundation

/// All pipeline files together: they extend each other, and their names may not clash.
package struct PipelineCatalog {
  let documents: [PipelineDocument]
  /// Files that are there but could not be read.
  private let broken: [String: Diagnostic]
  private let context: Context

  /// What pipelines are checked against.
  package struct Context: Sendable {
    package var stages: [String: RegisteredStage]
    package var environment: [String: String]
    package var settings: Settings
    /// Lower-case hex.
    package var sha256: @Sendable ([UInt8]) -> String
    package var now: Date
    /// What is wrong with a condition of the YAML; `nil` where nothing is.
    package var condition: @Sendable (String) -> Condition.Malformed?
    /// The same of the condition of a rule.
    package var rule: @Sendable (String) -> Condition.Malformed?
    /// Whether there is a time zone of this name.
    package var isZone: @Sendable (String) -> Bool

    package init(
      stages: [String: RegisteredStage], environment: [String: String], settings: Settings, now: Date,
      sha256: @escaping @Sendable ([UInt8]) -> String,
      condition: @escaping @Sendable (String) -> Condition.Malformed? = { _ in nil },
      rule: @escaping @Sendable (String) -> Condition.Malformed? = { _ in nil },
      isZone: @escaping @Sendable (String) -> Bool = { _ in true }
    ) {
      self.stages = stages
      self.environment = environment
      self.settings = settings
      self.now = now
      self.sha256 = sha256
      self.condition = condition
      self.rule = rule
      self.isZone = isZone
    }
  }

  package init(documents: [PipelineDocument], broken: [String: Diagnostic] = [:], context: Context) {
    self.documents = documents.sorted { $0.path < $1.path }
    self.broken = broken
    self.context = context
  }

  /// Every file in the order of paths, with everything that is wrong.
  package func load() -> [LoadedPipeline] {
    let texts = Dictionary(documents.map { ($0.path, $0.text) }) { first, _ in first }
    let unreadable = broken.map { path, diagnostic in LoadedPipeline(path: path, diagnostics: [diagnostic]) }
    let twins = twins()
    let read = documents.map { document in
      var loaded = load(document)
      if let twin = twins[document.path] {
        loaded.diagnostics.append(twin)
        loaded.version = nil
      }
      loaded.diagnostics = loaded.diagnostics.quoting(texts)
      return loaded
    }
    return warnOfRivals((read + unreadable).sorted { $0.path < $1.path })
  }

  private func load(_ document: PipelineDocument) -> LoadedPipeline {
    var loaded = LoadedPipeline(path: document.path, name: document.name?.text, isBase: document.isBase)
    var findings = Findings()
    let chain = chain(of: document, &findings)
    // what a missing base would have said cannot be missed here, but the rest of the file can still be wrong
    let isPartial = findings.hasErrors
    let told = Set(findings.diagnostics.map(\.mark.displayed))
    var extending = Extending()
    var merged = extending.place(chain[chain.count - 1].root)
    for child in chain.dropLast().reversed() { merged = extending.merge(merged, child.root) }
    var filling = EnvironmentFilling(
      environment: context.environment, secrets: context.settings.secrets)
    merged = filling.fill(merged)
    findings.add(extending.findings)
    findings.add(filling.findings)
    let used = used(by: merged)
    let origin = PipelineOrigin(
      document: merged, manifests: used.mapValues(\.manifest), hookTimeout: context.settings.hookTimeout)
    var decoder = PipelineDecoder(
      origin, registered: context.stages.keys.sorted(), isBase: document.isBase || isPartial)
    let pipeline = decoder.decode()
    var variables = VariableFilling(merged["vars"]?.entries ?? [], allowsUnknown: true)
    checkConditions(of: variables.fill(merged), &findings)
    if let zone = pipeline?.trigger.schedule?.zone, !context.isZone(zone) {
      let mark = merged["trigger"]?["schedule"]?["tz"]?.mark ?? merged.mark
      findings.add(ScheduleDecoder.unknown(zone: zone, at: mark))
    }
    for finding in decoder.findings.diagnostics where !told.contains(finding.mark.displayed) {
      findings.add(finding)
    }
    loaded.diagnostics = findings.diagnostics
    guard let pipeline, !findings.hasErrors, !document.isBase else { return loaded }
    let digest = digest(pipeline, chain: chain, used: used)
    loaded.version = PipelineVersion(
      digest: digest, pipeline: pipeline, source: document.text, path: document.path, loaded: context.now)
    return loaded
  }

  private func checkConditions(of document: Node, _ findings: inout Findings) {
    func check(
      _ when: Node?, _ columns: [String], _ problem: (String) -> Condition.Malformed?
    ) {
      guard let when, let text = when.text, let malformed = problem(text) else { return }
      var mark = when.mark
      if let offset = malformed.offset {
        var opening = 0
        if case .scalar(_, quoted: true) = when.content { opening = 1 }
        mark.column += opening + offset
        mark.length = max(1, text.utf8.count - offset)
      }
      findings.error(
        "`when`: \(malformed.reason)", at: mark,
        hint: "an SQL expression over " + columns.map { "`\($0)`" }.joined(separator: ", "))
    }
    for stage in document["stages"]?.elements ?? [] { check(stage["when"], Condition.columns, context.condition) }
    for rule in document["rules"]?.elements ?? [] { check(rule["when"], Rule.columns, context.rule) }
  }

  /// The document and those it builds on, the nearest first.
  private func chain(of document: PipelineDocument, _ findings: inout Findings) -> [PipelineDocument] {
    var chain = [document]
    while let extends = chain.last?.root["pipeline"]?["extends"], let target = extends.text {
      guard let base = base(called: target) else {
        findings.add(missing(target, at: extends.mark, from: chain[chain.count - 1].path))
        return chain
      }
      if chain.contains(where: { $0.path == base.path }) {
        let circle = (chain + [base]).map { "`\($0.name?.text ?? $0.path)`" }.joined(separator: " extends ")
        findings.error("pipelines extend each other in a circle: \(circle)", at: extends.mark)
        return chain
      }
      chain.append(base)
    }
    return chain
  }

  private func base(called target: String) -> PipelineDocument? {
    documents.first { $0.name?.text == target } ?? documents.first { Self.paths(target).contains($0.path) }
  }

  private static func paths(_ target: String) -> [String] {
    ["", ".yaml", ".yml", ".json"].map { "pipelines/\(target)\($0)" }
  }

  private func missing(_ target: String, at mark: Mark, from path: String) -> Diagnostic {
    if let unreadable = Self.paths(target).first(where: { broken[$0] != nil }) {
      return Diagnostic(at: mark, "`\(target)` cannot be read: see what is said about `\(unreadable)`")
    }
    let names = documents.filter { $0.path != path }.compactMap { $0.name?.text }
    return Diagnostic(
      at: mark, "no pipeline `\(Display.brief(target))` to extend",
      hint: Nearest.hint(for: target, among: names.sorted(), called: "pipelines"))
  }

  private func used(by document: Node) -> [String: RegisteredStage] {
    // `uses` may name a variable, which is only known later; then every manifest may be meant
    let names = (document["stages"]?.elements ?? []).compactMap { $0["uses"]?.text }
    if names.contains(where: { $0.contains("$") }) { return context.stages }
    return context.stages.filter { names.contains($0.key) }
  }

  private func digest(
    _ pipeline: Pipeline, chain: [PipelineDocument], used: [String: RegisteredStage]
  ) -> String {
    var bare = pipeline
    bare.origin = nil
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let resolved = (try? encoder.encode(bare)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    let names = pipeline.stages.compactMap(\.uses)
    let manifests = used.filter { names.contains($0.key) }.sorted { $0.key < $1.key }.map(\.value.text)
    var bytes: [UInt8] = []
    for part in chain.map(\.text) + manifests + [resolved] {
      bytes += Array("\(part.utf8.count)\n".utf8) + Array(part.utf8)
    }
    return context.sha256(bytes)
  }
}
